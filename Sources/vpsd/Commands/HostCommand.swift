import API
import ArgumentParser
import Core
import Engine
import SQLStore

struct HostCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "host", abstract: "The hosts that servers run on.",
    subcommands: [List.self, Drain.self, Undrain.self, Rename.self, Remove.self])

  struct List: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "List the hosts, with what their servers have reserved of what they carry.")

    @OptionGroup var options: ConfigurationOptions
    @OptionGroup var output: OutputOptions

    func run() async throws {
      output.list(try await options.openDatabase().hosts().map(HostRecord.init))
    }
  }

  struct Drain: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Give a host no more servers. Those that it has go on.",
      discussion:
        "With --move they also go to other hosts of its location, one after another, with their addresses; each is down for a short time. `vpsd host undrain` stops those that have not begun."
    )

    @OptionGroup var options: ConfigurationOptions
    @OptionGroup var output: OutputOptions
    @Flag(help: "Move its servers to other hosts of its location.") var move = false
    @Option(
      help: ArgumentHelp(
        "From when on; at once, if left out. Until then their customers see it announced.",
        valueName: "2026-01-16T22:00:00Z"))
    var at: String?
    @Argument(help: "The host's name, as `vpsd host list` shows it, or its id.") var name: String

    func validate() throws {
      guard let at else { return }
      guard move else { throw ValidationError("--at goes with --move.") }
      guard Timestamp(wireFormat: at) != nil else {
        throw ValidationError("--at must be a time like 2026-01-16T22:00:00Z.")
      }
    }

    func run() async throws {
      let time = at.flatMap { Timestamp(wireFormat: $0) }
      let load = try await options.setDraining(true, move ? .movesServers(at: time) : .keepsServers, host: name)
      let moves = load.host.movesServersAt.map {
        " Those that it has move to others of its location from \($0.displayed) on."
      }
      output.tell(
        "The host \(load.host.name.escaped()) takes no more servers." + (moves ?? ""), HostRecord(load: load))
    }
  }

  struct Undrain: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Give a host servers again.",
      discussion:
        "Also lets a host back that was switched off because it did not answer: from then on none of the servers that it still has goes to another one. Do that before you switch it on."
    )

    @OptionGroup var options: ConfigurationOptions
    @OptionGroup var output: OutputOptions
    @Argument(help: "The host's name, as `vpsd host list` shows it, or its id.") var name: String

    func run() async throws {
      let load = try await options.setDraining(false, host: name)
      output.tell("The host \(load.host.name.escaped()) takes servers again.", HostRecord(load: load))
    }
  }

  struct Rename: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Give a host another name, while its service is stopped.",
      discussion: """
        Its service is then started with that host_name, in the same data directory. The one host of a location on Incus is called after \
        its member (eu-1/m1) before its configuration names `members`.
        """)

    @OptionGroup var options: ConfigurationOptions
    @Argument(help: "The host's name, as `vpsd host list` shows it.") var name: String
    @Argument(help: "The new name: \(ConfigurationKey.hostNameRule).") var newName: String

    func validate() throws {
      // One with a slash is that of a location's host, which the configuration has to name.
      guard ConfigurationKey.isHostName(newName) || newName.contains("/") else {
        throw ValidationError("The new name must be \(ConfigurationKey.hostNameRule).")
      }
    }

    func run() async throws {
      let configuration = try options.load()
      if let holder = ProcessLock.holder(path: DataDirectory(configuration.dataDirectory).lock) {
        throw Refusal.refused(
          holder.isService ? "The service runs: stop it first." : "\(holder) is at work: wait for its end.")
      }
      let database = try await options.openDatabase()
      let host = try await database.host(named: name).host
      guard !newName.contains("/") || configuration.declares(newName, insteadOf: host) else {
        throw Refusal.refused("The configuration has no host \(newName.quoted) at the location of \(host.name.quoted).")
      }
      _ = try await OperatorHosts(store: database, clock: SystemClock()).rename(host.name, to: newName, by: .host)
      print("The host \(host.name.escaped()) is called \(newName.escaped()) now.")
    }
  }

  struct Remove: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Remove a host that is gone for good.",
      discussion: """
        A host with servers is refused, unless they are given up with it: nothing can be asked of the host, so their disks, backups and \
        snapshots are lost. Should the machine come back one day, its service removes what is left of them there.
        """)

    @OptionGroup var options: ConfigurationOptions
    @Argument(help: "The host's name, as `vpsd host list` shows it.") var name: String
    @Flag(
      help:
        "Delete the servers that it still has, with their backups and snapshots, and release their addresses. Only while the host is away."
    )
    var deleteServers = false

    func run() async throws {
      let database = try await options.openDatabase()
      let host = try await database.host(named: name).host
      var deleted = 0
      defer { if deleted > 0 { print("\(deleted) server(s) are deleted.") } }
      _ = try await OperatorHosts(store: database, clock: SystemClock())
        .remove(host.name, deletingServers: deleteServers ? { deleted = $0 } : nil, by: .host)
      print("The host \(host.name.escaped()) is removed.")
    }
  }
}

struct HostRecord: Record {
  let load: HostLoad

  private var host: Host { load.host }

  static let headings = [
    "NAME", "LOCATION", "DRIVER", "STATE", "SERVERS", "VCPUS", "MEMORY MIB", "STORAGE GIB", "AWAY SINCE",
    "SERVERS MOVE FROM", "FENCE FAILURE",
  ]

  var cells: [String] {
    [
      host.name, host.location ?? "all others", host.driver, host.state.rawValue, "\(load.serverCount)",
      share(\.vcpus), share(\.memoryMiB), share(\.storageGiB),
      host.isConfigured ? host.awaySince?.displayed ?? "" : "not configured", host.movesServersAt?.displayed ?? "",
      host.fenceFailure ?? "",
    ]
  }

  private func share(_ taken: KeyPath<HostCapacity, Int>) -> String {
    let all = host.capacity.map { String($0[keyPath: taken]) } ?? "-"
    return "\(load.reserved[keyPath: taken])/\(all)"
  }

  func write(_ writer: inout JSONWriter) {
    func capacity(_ capacity: HostCapacity, _ writer: inout JSONWriter) {
      writer.field("vcpus", capacity.vcpus)
      writer.field("memory", capacity.memoryMiB)
      writer.field("storage", capacity.storageGiB)
    }
    writer.field("id", host.id.value)
    writer.field("name", host.name)
    writer.field("location", host.location)
    writer.field("driver", host.driver)
    writer.field("state", host.state.rawValue)
    writer.field("servers", load.serverCount)
    writer.field("reserved") { capacity(load.reserved, &$0) }
    writer.field(named: "capacity") { writer in
      if let all = host.capacity { writer.object { capacity(all, &$0) } } else { writer.null() }
    }
    writer.field("away_since", host.awaySince)
    writer.field("configured", host.isConfigured)
    writer.field("moves_servers_at", host.movesServersAt)
    writer.field("fence_failure", host.fenceFailure)
  }
}

extension SQLStore {
  /// Finds a host by its name or ID.
  func host(named text: String) async throws -> HostLoad {
    let hosts = try await hosts()
    let named = hosts.first { $0.host.name.utf8.elementsEqual(text.utf8) }
    var numbered: HostLoad?
    if case .id(let id)? = Reference<Host>(text) { numbered = hosts.first { $0.host.id == id } }
    guard let found = named ?? numbered else {
      throw Refusal.noSuch("There is no host \(text.quoted): see `vpsd host list`.")
    }
    return found
  }
}

extension ConfigurationOptions {
  fileprivate func setDraining(
    _ isDraining: Bool, _ draining: OperatorHosts.Draining = .keepsServers, host name: String
  ) async throws -> HostLoad {
    let database = try await openDatabase()
    let host = try await database.host(named: name).host
    return try await OperatorHosts(store: database, clock: SystemClock())
      .setDraining(isDraining, host.id, draining, by: .host)
  }
}

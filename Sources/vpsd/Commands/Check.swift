import API
import ArgumentParser
import Core
import Engine
import Foundation
import SQLStore

struct Check: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Tell whether every machine, disk, copy, address and credit has one owner.",
    discussion: """
      Looks at the records, and while the service runs also at machines and copies, and changes nothing. What is wrong is printed, \
      a line each; then the exit status is 1. What passes by itself within seconds is not reported.
      """)

  @OptionGroup var options: ConfigurationOptions
  @OptionGroup var output: OutputOptions

  /// Longer than the service needs to notice and repair a change of a machine.
  private static let secondLookAfter = Duration.seconds(12)

  func run() async throws {
    let configuration = try options.load()
    _ = try configuration.notify.receiver()
    _ = try configuration.reverseNamings()
    let directory = DataDirectory(configuration.dataDirectory)
    let database = try await options.openDatabase()
    // Without a running service nothing is repaired, so machines may rightly differ from their records.
    let isServed = ProcessLock.isServed(path: directory.lock)
    var members: [HostedFleet.Member] = []
    if isServed {
      // The data directories of services that share hosts contain nothing of those hosts.
      if !configuration.sharesHosts, try await HostedFleet.hasLocalHost(configuration, database) {
        try Self.require(configuration.driver, in: directory)
      }
      members = try await HostedFleet.open(
        configuration, database, logger: configuration.makeCommandLogger()
      ).members
    }
    var found = try await Self.look(database, directory, members)
    if !found.isEmpty {
      try await SystemClock().sleep(for: Self.secondLookAfter)
      found = try await Self.look(database, directory, members).filter(Set(found).contains)
    }
    let record = CheckRecord(
      serverCount: try await database.inventory().count, areMachinesSeen: isServed, faults: found)
    output.tell(record.sentences, record)
    guard found.isEmpty else { throw ExitCode(1) }
  }

  /// Throws where the data directory was made with another driver: a look with the configured one would find none of its
  /// machines, and would create files of its own.
  private static func require(_ driver: Configuration.Driver, in directory: DataDirectory) throws {
    func exists(_ name: String) -> Bool { FileManager.default.fileExists(atPath: "\(directory.path)/\(name)") }
    let found: [Configuration.Driver] = Configuration.Driver.allCases.filter { driver in
      switch driver {
      case .simulated: exists("simulated")
      case .libvirt: exists("libvirt") || exists("servers")
      }
    }
    // With the host's libvirtd there is nothing here until the first server exists.
    if found.contains(driver) || (found.isEmpty && driver == .libvirt) { return }
    let there = found.map { "the machines are of the driver \($0.rawValue)" }.first ?? "there are none of its machines"
    throw ValidationError(
      "The driver that is configured here is \(driver.rawValue), but \(there) in \(directory.path). Give this command "
        + "the configuration that the service has (--config, --driver, VPSD_DRIVER).")
  }

  private static func look(
    _ database: SQLStore, _ directory: DataDirectory, _ members: [HostedFleet.Member]
  ) async throws -> [String] {
    var found = try await database.contradictions()
    do {
      found += [try await directory.keyFault(for: database)].compactMap { $0 }
    } catch let error as DataDirectory.Unfit {
      found.append(error.description)
    }
    for member in members {
      do {
        found += try await look(database, member)
      } catch let error as DriverError {
        found.append("the host \(member.host.name) does not answer: \(error.detail)")
      }
    }
    return found
  }

  private static func look(_ database: SQLStore, _ member: HostedFleet.Member) async throws -> [String] {
    let differences = try await Inspection(of: member.host, store: database).differences()
    let copies = try await copies(database, member)
    return try await differences + copies.missing
      + copies.strays.map { "the copy \($0.copy.text) belongs to no backup and no snapshot" }
      .sorted()
      + strayProcesses(member)
  }

  /// How machines and copies differ from the records of servers. Machines and copies without a record are left out.
  static func differences(_ database: SQLStore, _ member: HostedFleet.Member) async throws -> [String] {
    try await Inspection(of: member.host, store: database).look().differences + copies(database, member).missing
      + strayProcesses(member)
  }

  private static func strayProcesses(_ member: HostedFleet.Member) async throws -> [String] {
    let running = try await member.driver.observe().powers.filter(\.value.isOn)
    return try await member.driver.processes().filter { running[$0.key] == nil }.map {
      "process \($0.value) runs the machine \($0.key.text), which nobody knows to run"
    }.sorted()
  }

  /// A copy keeps its row until its file is removed, so a file without a row is stray.
  static func copies(
    _ database: SQLStore, _ member: HostedFleet.Member
  ) async throws -> (missing: [String], strays: [(machine: UUID, copy: UUID)]) {
    let onHost = try await member.driver.copiesOnHost()
    var unknown = onHost
    if member.driver.sharesCopies {
      let homes = try await database.hosts(ofMachines: Array(onHost.keys))
      unknown = unknown.filter { homes[$0.key].map { $0 == member.host.id } ?? true }
    }
    var missing: [String] = []
    for server in try await database.inventory(of: member.host.id) {
      for copy in try await database.diskCopies(of: server.id) {
        unknown[server.uuid]?.remove(copy.uuid)
        if copy.status == .completed, onHost[server.uuid]?.contains(copy.uuid) != true {
          missing.append("copy \(copy.id) (\(copy.kind.rawValue)) of server \(server.id) has no file")
        }
      }
    }
    return (missing, unknown.flatMap { machine, copies in copies.map { (machine, $0) } })
  }
}

/// The result of a check.
private struct CheckRecord: Record {
  let serverCount: Int
  /// Whether the service runs, so that its machines were checked too.
  let areMachinesSeen: Bool
  let faults: [String]

  static let headings = ["SERVERS", "MACHINES SEEN", "FAULTS"]
  var cells: [String] { ["\(serverCount)", areMachinesSeen ? "yes" : "no", "\(faults.count)"] }

  var sentences: String {
    guard faults.isEmpty else { return faults.map { $0.escaped() }.joined(separator: "\n") }
    return "\(serverCount) server(s): the records agree"
      + (areMachinesSeen ? ", and so do the machines." : "; the service does not run.")
  }

  func write(_ writer: inout JSONWriter) {
    writer.field("servers", serverCount)
    writer.field("machines_seen", areMachinesSeen)
    writer.field("ok", faults.isEmpty)
    writer.field("faults", faults) { $0.value($1) }
  }
}

import ArgumentParser
import Core
import SQLStore

struct HostCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "host", abstract: "The hosts that servers run on.",
    subcommands: [List.self, Drain.self, Undrain.self])

  struct List: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "List the hosts, with what their servers have reserved of what they carry.")

    @OptionGroup var options: ConfigurationOptions

    func run() async throws {
      var table = TextTable(
        "NAME", "LOCATION", "DRIVER", "STATE", "SERVERS", "VCPUS", "MEMORY MIB", "STORAGE GIB", "AWAY SINCE")
      for load in try await options.openDatabase().hosts() {
        let (host, reserved) = (load.host, load.reserved)
        func share(_ taken: KeyPath<HostCapacity, Int>) -> String {
          let all = host.capacity.map { String($0[keyPath: taken]) } ?? "-"
          return "\(reserved[keyPath: taken])/\(all)"
        }
        table.add(
          host.name, host.location ?? "all others", host.driver, host.state.rawValue, "\(load.serverCount)",
          share(\.vcpus), share(\.memoryMiB), share(\.storageGiB),
          host.isConfigured ? host.awaySince?.displayed ?? "" : "not configured")
      }
      print(table.text)
    }
  }

  struct Drain: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Give a host no more servers. Those that it has go on.")

    @OptionGroup var options: ConfigurationOptions
    @Argument(help: "The host's name, as `vpsd host list` shows it.") var name: String

    func run() async throws {
      let host = try await options.setDraining(true, host: name)
      print("The host \(host.name) takes no more servers.")
    }
  }

  struct Undrain: AsyncParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Give a host servers again.")

    @OptionGroup var options: ConfigurationOptions
    @Argument(help: "The host's name, as `vpsd host list` shows it.") var name: String

    func run() async throws {
      let host = try await options.setDraining(false, host: name)
      print("The host \(host.name) takes servers again.")
    }
  }
}

extension ConfigurationOptions {
  fileprivate func setDraining(_ isDraining: Bool, host name: String) async throws -> Host {
    let host = try await openDatabase().setDraining(isDraining, host: name, at: SystemClock().now)
    guard let host else { throw ValidationError("There is no host \(name.quoted): see `vpsd host list`.") }
    return host
  }
}

import API
import ArgumentParser
import Core
import Foundation
import HostNetwork
import SQLStore
import SimulatedDriver

struct NetworkCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "network", abstract: "What this host has for the network of its servers.",
    subcommands: [Status.self, Off.self])

  struct Status: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Tell each server's tap and traffic, and what is not as it should be.",
      discussion: "Ends with 1 where something is not.")

    @OptionGroup var options: ConfigurationOptions
    @OptionGroup var output: OutputOptions

    func run() async throws {
      let links = try await options.serverLinks()
      let servers = try links.map { try $0.state() }.flatMap { state in
        state.interfaces.map { machine, interface in
          RoutedServerRecord(machine: machine, interface: interface, counters: state.counters[interface.tap])
        }
      }
      output.list(servers.sorted { $0.interface.addresses[0] < $1.interface.addresses[0] })
      let problems = try links[0].problems()
      for problem in problems {
        print(output.isJSON ? Problem(text: problem).json : "not as it should be: \(problem.escaped())")
      }
      if !problems.isEmpty { throw ExitCode(1) }
    }
  }

  struct Off: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Remove taps, routes and packet filter, and put the host's own settings back.",
      discussion: """
        The service must not be running, and makes all of it anew when it starts. Servers that run have no network until they \
        are started again.
        """)

    @OptionGroup var options: ConfigurationOptions

    func run() async throws {
      let directory = DataDirectory(try options.load().dataDirectory)
      try directory.requireOurs()
      let links = try await options.serverLinks()
      let lock = try ProcessLock(path: directory.lock, for: "network")
      try links[0].removeNetwork()
      withExtendedLifetime(lock) { print("This host has nothing for the network of servers any more.") }
    }
  }

  fileprivate static let isNotRouted = Refusal.refused(
    "This host's servers are at its loopback: `network` is neither `routed` nor `bridge`, of no location.")
}

extension ConfigurationOptions {
  /// The links of this machine's servers, one for each driver that has some. A service may be running at the same time.
  fileprivate func serverLinks() async throws -> [ServerLinks] {
    let configuration = try load()
    let directory = DataDirectory(configuration.dataDirectory)
    try directory.requireOurs()
    guard let installation = try await configuration.installationID() else {
      throw Refusal.refused("No service has run on this data directory yet.")
    }
    let drivers = try HostedFleet.drivers(configuration, installation: installation)
    let links = drivers.compactMap(\.links)
    if links.isEmpty {
      guard drivers.contains(where: { !($0 is SimulatedDriver) }) else {
        throw Refusal.refused("No servers run on this host: `driver` is not `libvirt`.")
      }
      throw NetworkCommand.isNotRouted
    }
    return links
  }
}

private struct RoutedServerRecord: Record {
  let machine: UUID
  let interface: RoutedInterface
  let counters: NetworkCounters?

  static let headings = ["ADDRESS", "IPV6 NETWORK", "TAP", "RECEIVED", "SENT", "FIREWALL", "MACHINE"]

  var cells: [String] {
    [
      interface.addresses.map(\.description).joined(separator: " "),
      interface.ipv6Networks.map(\.description).joined(separator: " "), interface.tap,
      counters.map { "\($0.receivedBytes)" } ?? "-", counters.map { "\($0.sentBytes)" } ?? "-",
      interface.firewall.isEnabled ? "\(interface.firewall.rules.count) rules" : "off",
      machine.text,
    ]
  }

  func write(_ writer: inout JSONWriter) {
    writer.field("machine", machine)
    writer.field("tap", interface.tap)
    writer.field(named: "ipv4_addresses", interface.addresses.map(\.description))
    writer.field(named: "ipv6_networks", interface.ipv6Networks.map(\.description))
    writer.field("received_bytes", counters?.receivedBytes)
    writer.field("sent_bytes", counters?.sentBytes)
    writer.field("firewall_enabled", interface.firewall.isEnabled)
  }
}

private struct Problem: Record {
  let text: String

  static let headings = ["PROBLEM"]
  var cells: [String] { [text] }
  func write(_ writer: inout JSONWriter) { writer.field("problem", text) }
}

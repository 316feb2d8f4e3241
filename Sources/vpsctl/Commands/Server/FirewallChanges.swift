import APIClient
import ArgumentParser

struct FirewallEnable: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "enable", abstract: "Let in what the rules let in, and nothing else.")

  @OptionGroup var name: ServerName
  @OptionGroup var options: OutputOptions

  func run() async throws {
    var firewall = try await StoredFirewall(of: name.server, options.session)
    firewall.fields["enabled"] = true
    try await firewall.write(options)
  }
}

struct FirewallDisable: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "disable", abstract: "Let everything pass. The rules are kept.")

  @OptionGroup var name: ServerName
  @OptionGroup var options: OutputOptions

  func run() async throws {
    var firewall = try await StoredFirewall(of: name.server, options.session)
    firewall.fields["enabled"] = false
    try await firewall.write(options)
  }
}

struct FirewallAddRule: AsyncParsableCommand {
  enum Direction: String, ExpressibleByArgument, CaseIterable {
    case `in`, out
  }

  static let configuration = CommandConfiguration(
    commandName: "add-rule", abstract: "Let more pass.",
    discussion: "  vpsctl server firewall add-rule web --protocol tcp --port 443")

  @OptionGroup var name: ServerName
  @Option(help: "in or out.") var direction = Direction.in
  @Option(name: .customLong("protocol"), help: "tcp, udp, icmp, gre or esp.") var ipProtocol: String
  @Option(help: "Of tcp and udp: 22, 80-85 or any.") var port: String?
  @Option(
    name: .customLong("network"),
    help: ArgumentHelp("From where, or where to, as in 203.0.113.0/24; everywhere, if left out.", valueName: "CIDR"))
  var networks: [String] = []
  @Option(help: "What it is for.") var description = ""
  @OptionGroup var options: OutputOptions

  func run() async throws {
    var firewall = try await StoredFirewall(of: name.server, options.session)
    var rule: JSON = ["direction": .string(direction.rawValue), "protocol": .string(ipProtocol)]
    rule["port"] = port.map { .string($0) }
    rule[direction == .in ? "source_ips" : "destination_ips"] = .array(networks.map { .string($0) })
    rule["description"] = .string(description)
    firewall.fields["rules"] = .array(firewall.rules + [rule])
    try await firewall.write(options)
  }
}

struct FirewallDeleteRule: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "delete-rule", abstract: "Take rules away, by their places in the list: 1 is the first.")

  @OptionGroup var name: ServerName
  @Argument(help: "The places of the rules.") var places: [Int]
  @OptionGroup var options: OutputOptions

  func run() async throws {
    var firewall = try await StoredFirewall(of: name.server, options.session)
    let rules = firewall.rules
    for place in places where !(1...max(1, rules.count)).contains(place) || rules.isEmpty {
      throw Refusal(.notFound, "There is no rule \(place): there are \(rules.count).")
    }
    firewall.fields["rules"] = .array(rules.enumerated().filter { !places.contains($0.offset + 1) }.map(\.element))
    try await firewall.write(options)
  }
}

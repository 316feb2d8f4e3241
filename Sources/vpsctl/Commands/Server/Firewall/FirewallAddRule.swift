import APIClient
import ArgumentParser

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

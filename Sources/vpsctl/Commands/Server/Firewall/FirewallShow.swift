import APIClient
import ArgumentParser

struct FirewallShow: AsyncParsableCommand {
  static let configuration = CommandConfiguration(commandName: "show", abstract: "Show the firewall of a server.")

  @OptionGroup var name: ServerName
  @OptionGroup var options: OutputOptions

  func run() async throws {
    try Self.tell(try await StoredFirewall(of: name.server, options.session, isExact: false).fields, options)
  }

  static func tell(_ firewall: JSON, _ options: OutputOptions) throws {
    guard options.output == .table else { return try options.show(firewall, .firewall) }
    let isEnabled = firewall["enabled"]?.bool == true
    let isEnforced = firewall["enforced"]?.bool == true
    Terminal.tell(
      isEnabled
        ? isEnforced ? "The firewall is on." : "The firewall is on, and is not in force: everything passes."
        : "The firewall is off: everything passes.")
    try options.list(firewall["rules"]?.array ?? [], .rule)
  }
}

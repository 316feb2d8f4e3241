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

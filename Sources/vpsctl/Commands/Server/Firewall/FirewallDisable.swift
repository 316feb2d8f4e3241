import APIClient
import ArgumentParser

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

import APIClient
import ArgumentParser

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

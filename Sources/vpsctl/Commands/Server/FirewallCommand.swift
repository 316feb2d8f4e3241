import APIClient
import ArgumentParser

struct FirewallCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "firewall", abstract: "What may come in to a server, and go out.",
    subcommands: [
      FirewallShow.self, FirewallEnable.self, FirewallDisable.self, FirewallAddRule.self, FirewallDeleteRule.self,
    ])
}

/// A firewall as it was read, to be put back changed unless somebody else was faster.
struct StoredFirewall {
  let session: Session
  let server: JSON
  var fields: JSON
  private let tag: String?

  private static func path(_ server: JSON) -> String { "/servers/\(server["id"]?.int ?? 0)/firewall/" }

  init(of name: String, _ session: Session, isExact: Bool = true) async throws {
    self.session = session
    server = try await session.find(.server, name, isExact: isExact)
    let reply = try await session.client.request("GET", Self.path(server))
    fields = try reply.json()
    tag = reply.header("ETag")
  }

  var rules: [JSON] { fields["rules"]?.array ?? [] }

  func write(_ options: OutputOptions) async throws {
    let body: JSON = ["enabled": fields["enabled"] ?? false, "rules": .array(rules)]
    let changed = try await session.client.request(
      "PUT", Self.path(server), body: body, headers: tag.map { [("If-Match", $0)] } ?? [], waitSeconds: 10
    ).json()
    try FirewallShow.tell(changed, options)
  }
}

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

import APIClient
import ArgumentParser

struct TokenCreate: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "create", abstract: "Make a token. Its text is shown this once.",
    discussion: "  vpsctl token create --name ci --permission servers:read")

  @Option(help: "Its name.") var name: String
  @Option(
    name: .customLong("permission"),
    help: ArgumentHelp("What it may do, as in servers:read. More than once for more.", valueName: "permission"))
  var permissions: [String]
  @Option(name: .customLong("expires-at"), help: "When it ends, as in 2031-01-01T00:00:00Z.") var expiresAt: String?
  @OptionGroup var options: OutputOptions

  func run() async throws {
    var body: JSON = ["name": .string(name), "permissions": .array(permissions.map { .string($0) })]
    body["expires_at"] = expiresAt.map { .string($0) }
    let session = try options.session
    func tell(_ made: JSON) { options.tell(made["token"]?.string ?? "", made, .token) }
    tell(try await session.answerOnce(Kind.token.path, body: body, tell: tell))
  }
}

import APIClient
import ArgumentParser

struct ServerResize: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "resize", abstract: "Give a server another plan.",
    discussion: "One that is active is shut down for it and comes back. Its disk grows with the plan and never shrinks."
  )

  @OptionGroup var name: ServerName
  @Option(help: "The plan: slug, id or name.", completion: .names(of: .plan)) var plan: String
  @OptionGroup var waiting: WaitOptions
  @OptionGroup var options: OutputOptions

  func run() async throws {
    let session = try options.session
    let server = try await session.find(.server, name.server, isExact: true)
    let plan = try await session.choice("--plan (plan_id)", .plan, plan)
    try await ServerAction(path: "resize/", body: ["plan_id": plan], kinds: ["resize"], doing: "being resized")
      .perform(on: server, session, waiting, options)
  }
}

extension Session {
  /// The id of what an option names. It is not what the command is about: that it is not there is a refusal.
  func choice(_ option: String, _ kind: Kind, _ text: String, isExact: Bool = false) async throws -> JSON {
    switch try await search(kind, text, isExact: isExact) {
    case .found(let object): return object["id"] ?? .null
    case .missing(let message), .ambiguous(let message): throw Refusal(.refused, "\(option): \(message)")
    }
  }
}

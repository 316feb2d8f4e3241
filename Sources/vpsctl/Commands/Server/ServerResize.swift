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

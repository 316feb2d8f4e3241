import APIClient
import ArgumentParser

struct PlanList: AsyncParsableCommand {
  static let configuration = CommandConfiguration(commandName: "list", abstract: "List plans.", aliases: ["ls"])

  @OptionGroup var options: OutputOptions

  func run() async throws {
    try await options.list(options.session.client.list(Kind.plan.path), .plan)
  }
}

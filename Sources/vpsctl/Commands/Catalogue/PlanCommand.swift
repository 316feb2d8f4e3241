import APIClient
import ArgumentParser

struct PlanCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "plan", abstract: "The plans that there are.", subcommands: [PlanList.self, PlanShow.self])
}

struct PlanList: AsyncParsableCommand {
  static let configuration = CommandConfiguration(commandName: "list", abstract: "List plans.", aliases: ["ls"])

  @OptionGroup var options: OutputOptions

  func run() async throws {
    try await options.list(options.session.client.list(Kind.plan.path), .plan)
  }
}

struct PlanShow: AsyncParsableCommand {
  static let configuration = CommandConfiguration(commandName: "show", abstract: "Show all of one.")

  @Argument(help: "Its id or name.", completion: .names(of: .plan)) var name: String
  @OptionGroup var options: OutputOptions

  func run() async throws {
    try await options.show(options.session.find(.plan, name), .plan)
  }
}

import APIClient
import ArgumentParser

struct PlanShow: AsyncParsableCommand {
  static let configuration = CommandConfiguration(commandName: "show", abstract: "Show all of one.")

  @Argument(help: "Its id or name.", completion: .names(of: .plan)) var name: String
  @OptionGroup var options: OutputOptions

  func run() async throws {
    try await options.show(options.session.find(.plan, name), .plan)
  }
}

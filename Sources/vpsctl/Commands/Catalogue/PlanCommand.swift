import ArgumentParser

struct PlanCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "plan", abstract: "The plans that there are.", subcommands: [PlanList.self, PlanShow.self])
}

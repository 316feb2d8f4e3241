import ArgumentParser

struct ServerCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "server", abstract: "The servers of all accounts.",
    subcommands: [
      ServerList.self, ServerShow.self, ServerStart.self, ServerStop.self, Suspend.self, Resume.self, ServerDelete.self,
    ])
}

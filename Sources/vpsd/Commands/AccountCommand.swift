import ArgumentParser

struct AccountCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "account", abstract: "The customers' accounts.",
    subcommands: [
      AccountCreate.self, AccountList.self, AccountShow.self, AccountUpdate.self, AccountLoginLink.self, Suspend.self,
      Resume.self,
      AccountClose.self,
    ])
}

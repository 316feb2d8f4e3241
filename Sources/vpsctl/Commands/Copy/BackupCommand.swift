import ArgumentParser

struct BackupCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "backup", abstract: "Copies of servers' disks: make, list, restore and delete backups.",
    subcommands: [
      BackupList.self, BackupCreate.self, BackupShow.self, BackupRestore.self, BackupDelete.self,
    ])
}

import ArgumentParser

struct SnapshotCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "snapshot", abstract: "Copies of servers' disks: make, list, restore and delete snapshots.",
    subcommands: [
      SnapshotList.self, SnapshotCreate.self, SnapshotShow.self, SnapshotRestore.self, SnapshotDelete.self,
    ])
}

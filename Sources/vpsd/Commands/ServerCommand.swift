import ArgumentParser
import Core
import Foundation

struct ServerCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "server", abstract: "The servers of all accounts.", subcommands: [List.self])

  struct List: AsyncParsableCommand {
    static let configuration = CommandConfiguration(abstract: "List the servers of all accounts.")

    @OptionGroup var options: ConfigurationOptions

    func run() async throws {
      let store = try options.openStore()
      let emails = Dictionary(uniqueKeysWithValues: try await store.accounts().map { ($0.id, $0.email) })
      var table = TextTable("ID", "ACCOUNT", "NAME", "STATUS", "ADDRESS", "LOCATION", "CREATED", "MACHINE", "REASON")
      for server in try await store.allServers() {
        table.add(
          "\(server.id)", emails[server.accountID] ?? "?", server.name.name, server.status.rawValue,
          server.address?.description ?? "-", server.location, server.createdAt.displayed,
          server.uuid.uuidString.lowercased(), try await reason(server, store))
      }
      print(table.text)
    }

    /// What the operator needs to know of a server that failed.
    private func reason(_ server: Server, _ store: any Store) async throws -> String {
      guard server.status == .error else { return "" }
      let failed = try await store.operations(of: server.id).last { $0.state == .failed }
      return failed?.operatorDetail ?? server.statusReason ?? ""
    }
  }
}

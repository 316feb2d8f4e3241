import ArgumentParser
import Core
import Foundation
import SQLStore

struct ServerCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "server", abstract: "The servers of all accounts.",
    subcommands: [List.self, Suspend.self, Resume.self])

  struct List: AsyncParsableCommand {
    static let configuration = CommandConfiguration(abstract: "List the servers of all accounts.")

    @OptionGroup var options: ConfigurationOptions

    func run() async throws {
      let store = try options.openDatabase()
      let hosts = Dictionary(uniqueKeysWithValues: try await store.hosts().map { ($0.host.id, $0.host.name) })
      let headings = TextTable(
        "ID", "ACCOUNT", "NAME", "STATUS", "ADDRESS", "LOCATION", "HOST", "CREATED", "MACHINE", "REASON")
      try await PrintedList<Server>.print(headings) { last, limit in
        try await store.allServers(after: last?.id, limit: limit)
      } _: { table, server in
        table.add(
          "\(server.id)", try await store.account(server.accountID)?.email ?? "?", server.name.name,
          server.status.rawValue, server.address?.description ?? "-", server.location, hosts[server.hostID] ?? "?",
          server.createdAt.displayed, server.uuid.uuidString.lowercased(), try await reason(server, store))
      }
    }

    /// What the operator needs to know of a server that failed.
    private func reason(_ server: Server, _ store: any OperatorStore) async throws -> String {
      guard server.status == .error else { return "" }
      return try await store.lastFailure(of: server.id)?.operatorDetail ?? server.statusReason ?? ""
    }
  }
}

package import Core
import GRDB

package import struct Foundation.UUID

extension SQLStore {
  package func servers(
    of account: ID<Account>, filter: ServerFilter, order: [ServerOrder], page: PageRequest
  ) async throws -> Page<Server> {
    let selection = ServerSelection(filter, of: account)
    let keys = (order + [ServerOrder(.id)]).map(\.sql).joined(separator: ", ")
    return try await read { database in
      try database.page(
        page, of: "\(Server.query) WHERE \(selection.condition) ORDER BY \(keys)",
        count: "SELECT COUNT(*) FROM server WHERE \(selection.condition)", id: "server.id", selection.arguments)
    }
  }

  package func serverID(_ uuid: UUID, of account: ID<Account>) async throws -> ID<Server>? {
    try await read { database in
      try database.value(
        ID<Server>.self, "SELECT id FROM server WHERE uuid = ? AND account_id = ? AND deleted_at IS NULL",
        [uuid.text, account])
    }
  }

  package func sshKeyID(_ uuid: UUID, of account: ID<Account>) async throws -> ID<SSHKey>? {
    try await read { database in
      try database.value(
        ID<SSHKey>.self, "SELECT id FROM ssh_key WHERE uuid = ? AND account_id = ?", [uuid.text, account])
    }
  }
}

extension Database {
  /// Both queries see the same state where they run in one transaction.
  ///
  /// - Parameter id: The column after which a page can begin.
  func page<Value: RowReadable & Sendable>(
    _ request: PageRequest, of query: String, count countQuery: String, id: String, _ arguments: StatementArguments
  ) throws -> Page<Value> {
    let totalCount = try value(Int.self, countQuery, arguments) ?? 0
    var skipped: Int?
    if case .after(let last, let isDescending) = request.number {
      skipped = try value(
        Int.self, "\(countQuery) AND \(id) \(isDescending ? ">=" : "<=") ?", arguments + StatementArguments([last]))
    }
    let (number, range) = try request.resolve(totalCount: totalCount, skipping: skipped)
    let elements: [Value] = try all("\(query) LIMIT \(range.count) OFFSET \(range.lowerBound)", arguments)
    return Page(elements, totalCount: totalCount, number: number, size: request.size, skipped: skipped)
  }
}

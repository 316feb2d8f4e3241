import Core
import GRDB

/// Which servers of an account a list shows, as a condition of SQL.
struct ServerSelection: Sendable {
  private(set) var condition = "server.account_id = ? AND server.deleted_at IS NULL"
  let arguments: StatementArguments

  init(_ filter: ServerFilter, of account: ID<Account>) {
    var arguments: [any DatabaseValueConvertible] = [account]
    func add(_ term: String, _ value: (any DatabaseValueConvertible)?, to condition: inout String) {
      guard let value else { return }
      condition += " AND \(term)"
      arguments.append(value)
    }
    add("server.status = ?", filter.status, to: &condition)
    add("server.location = ?", filter.location, to: &condition)
    add("lower(server.name) = lower(?)", filter.name, to: &condition)
    add("lower(server.hostname) = lower(?)", filter.hostname, to: &condition)
    self.arguments = StatementArguments(arguments)
  }
}

extension ServerOrder {
  var sql: String { "\(column) \(isDescending ? "DESC" : "ASC")" }

  private var column: String {
    switch key {
    case .id: "server.id"
    case .name: "lower(server.name)"
    case .hostname: "lower(server.hostname)"
    case .status: "server.status"
    case .createdAt: "server.created_at"
    case .updatedAt: "server.updated_at"
    }
  }
}

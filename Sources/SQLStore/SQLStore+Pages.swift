package import Core

package import struct Foundation.UUID

extension SQLStore {
  package func servers(
    of account: ID<Account>, filter: ServerFilter, order: [ListOrder<ServerKey>], page: PageRequest
  ) async throws -> Page<Server> {
    let (selection, order) = (filter.selection(of: account), OrderClause(order))
    let isWhole = filter == ServerFilter()
    return try await read { database in
      try database.page(
        page, of: selection, by: order, blocks: isWhole ? ServerBlocks(of: account, database) : nil,
        isKept: isWhole && order.isCommon)
    }
  }

  package func serverID(_ uuid: UUID, of account: ID<Account>) async throws -> ID<Server>? {
    try await read { database in
      try database.value(
        ID<Server>.self, "SELECT id FROM server WHERE uuid = ? AND account_id = ? AND deleted_at IS NULL",
        [uuid.text, account])
    }
  }
}

extension SQLConnection {
  /// Reads one page and counts the rest. Both queries see the same state where they run in one transaction.
  func page<Value: RowReadable & Sendable>(
    _ request: PageRequest, of query: String, by order: OrderClause, count countQuery: String,
    _ arguments: SQLArguments
  ) throws -> Page<Value> {
    let totalCount = try value(Int.self, countQuery, arguments) ?? 0
    var skipped: Int?
    if case .after(let last, let isDescending) = request.number {
      skipped = try value(
        Int.self, "\(countQuery) AND \(order.id) \(isDescending ? ">=" : "<=") ?", arguments + [last])
    }
    let (number, range) = try request.resolve(totalCount: totalCount, skipping: skipped)
    let elements: [Value] = try rows(
      "\(query) ORDER BY \(order.sql) LIMIT ? OFFSET ?",
      arguments + [range.count, range.lowerBound], isKept: order.isCommon
    ) { row in try Value(from: &row) }
    return Page(elements, totalCount: totalCount, number: number, size: request.size, skipped: skipped)
  }

  /// The same for a table whose rows have an account and a name. With a name, only rows of this name are selected, in capitals
  /// or not.
  func page<Value: RowReadable & Sendable>(
    _ request: PageRequest, ofTable table: String, where condition: String? = nil, of account: ID<Account>,
    named name: String?, by order: OrderClause
  ) throws -> Page<Value> {
    let conditions = ["account_id = ?1", condition, "(CAST(?2 AS TEXT) IS NULL OR lower(name) = lower(?2))"]
    let selection = "FROM \(table) WHERE \(conditions.compactMap(\.self).joined(separator: " AND "))"
    return try page(
      request, of: "SELECT \(Value.columns) \(selection)", by: order, count: "SELECT COUNT(*) \(selection)",
      [account, name])
  }
}

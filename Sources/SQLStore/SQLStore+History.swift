package import Core

extension SQLStore {
  package func history(
    of id: ID<Server>, of account: ID<Account>, isNewestFirst: Bool, page: PageRequest
  ) async throws -> Page<OperationRecord>? {
    try await read { database in
      guard try database.server(id, of: account) != nil else { return nil }
      return try database.page(
        page,
        of: """
          SELECT \(OperationRecord.columns) FROM operation LEFT JOIN token ON token.id = operation.requested_by
          LEFT JOIN server_move AS move ON move.operation_id = operation.id
          WHERE operation.server_id = ?
          """,
        by: OrderClause([ListOrder(HistoryKey.id, isDescending: isNewestFirst)]),
        count: "SELECT COUNT(*) FROM operation WHERE server_id = ?", [id])
    }
  }
}

private enum HistoryKey: OrderKey {
  case id

  var column: String { "operation.id" }
}

extension OperationRecord: RowReadable {
  static let columns = """
    operation.id, operation.kind, operation.state, \
    CASE WHEN operation.finished_at IS NULL THEN operation.step END, token.name, operation.created_at, \
    operation.started_at, operation.finished_at, \
    CASE WHEN operation.finished_at IS NOT NULL THEN operation.customer_reason END, \(OperationSubject.columns), \
    \(MoveRecord.columns)
    """

  init(from row: inout RowReader) throws {
    let (id, kind): (ID<Core.Operation>, Core.Operation.Kind) = (try row.next(), try row.next())
    self.init(
      id: id, kind: kind, state: try row.next(), step: try row.next(),
      requestedBy: try row.next(), createdAt: try row.next(), startedAt: try row.next(), finishedAt: try row.next(),
      reason: try row.next(), subject: try row.subject(of: kind), move: try row.moveRecord())
  }
}

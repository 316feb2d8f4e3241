package import Core

extension SQLStore {
  package func keptEvents() async throws -> EventRange {
    try await read { database in
      // The newest is never deleted.
      let last = (try database.value(Int64?.self, "SELECT MAX(id) FROM event") ?? nil) ?? 0
      let first = try database.value(Int64?.self, "SELECT MIN(id) FROM event") ?? nil
      return EventRange(first: first ?? last + 1, last: last)
    }
  }

  package func events(of account: ID<Account>, after id: Int64, limit: Int) async throws -> [ServerEvent] {
    try await read { database in
      try database.all(
        """
        SELECT \(ServerEvent.columns) FROM event
        JOIN server ON server.id = event.server_id
        LEFT JOIN operation ON operation.id = event.operation_id
        WHERE event.account_id = ? AND event.id > ? ORDER BY event.id LIMIT ?
        """,
        [account, id, limit])
    }
  }
}

extension ServerEvent: RowReadable {
  static let columns = """
    event.id, event.at, event.server_id, server.name, event.what, event.deletion_at, event.operation_id, operation.kind, \
    operation.customer_reason, \(OperationSubject.columns)
    """

  init(from row: inout RowReader) throws {
    let id = try row.next(Int64.self)
    let at = try row.next(Timestamp.self)
    let serverID = try row.next(ID<Server>.self)
    let serverName = try row.next(ServerName.self)
    let what = try row.next(String.self)
    let deletionAt = try row.next(Timestamp?.self)
    let subject: Subject
    if let operationID = try row.next(ID<Core.Operation>?.self) {
      let kind = try row.next(Core.Operation.Kind.self)
      let reason = try row.next(String?.self)
      let state = try Core.Operation.State(rawValue: what).orFail("\(what) is no state of an operation")
      subject = .operation(
        id: operationID, kind: kind, state: state, reason: state == .failed ? reason : nil,
        subject: try row.subject(of: kind))
    } else if what == "deletion" {
      subject = .deletion(deletionAt)
    } else if ["throttled", "released"].contains(what) {
      subject = .throttle(what == "throttled")
    } else if what == "deleted" {
      subject = .server(nil)
    } else {
      subject = .server(try ServerStatus(rawValue: what).orFail("\(what) is no status"))
    }
    self.init(id: id, at: at, serverID: serverID, serverName: serverName, subject: subject)
  }
}

package import Core

extension SQLStore {
  package func inventory() async throws -> [InventoryItem] {
    try await read { database in
      try database.all("SELECT \(InventoryItem.columns) FROM server WHERE erased_at IS NULL ORDER BY id")
    }
  }

  package func inventory(of host: ID<Host>) async throws -> [InventoryItem] {
    try await read { database in
      try database.all(
        "SELECT \(InventoryItem.columns) FROM server WHERE host_id = ? AND erased_at IS NULL ORDER BY id", [host])
    }
  }

  package func recordShutdown(
    of id: ID<Server>, seenAfter event: Int64, at now: Timestamp
  ) async throws -> Bool {
    try await write { database in
      guard try database.isIdle(id, in: .active, since: event) else { return false }
      try database.setStatus(.stopped, of: id, at: now)
      try database.resetUsage(of: id)
      return true
    }
  }

  package func recordRunning(of id: ID<Server>, seenAfter event: Int64, at now: Timestamp) async throws -> Bool {
    try await write { database in
      guard try database.isIdle(id, in: .stopped, since: event) else { return false }
      try database.setStatus(.active, of: id, at: now)
      return true
    }
  }

  package func recordReturn(of id: ID<Server>, seenAfter event: Int64, at now: Timestamp) async throws -> Bool {
    try await write { [tariff] database in
      guard try database.isIdle(id, in: .error, since: event), let server = try database.server(id),
        server.machine.hasDisk, !server.machine.awaitsNewDisk
      else { return false }
      do {
        try database.requireNotSuspended(id)
        try database.holdFirstHourAgain(of: server, at: now)
      } catch let failure as Failure where failure.code == .insufficientCredit || failure.code == .wrongState {
        return false
      }
      try database.becomeActive(try database.serverUnderWork(id), tariff, at: now)
      return true
    }
  }

  package func beginRecovery(
    of id: ID<Server>, limit: Int, since windowStart: Timestamp, seenAfter event: Int64, at now: Timestamp
  ) async throws -> Bool {
    try await write { database in
      guard try database.isIdle(id, in: .active, since: event) else { return false }
      let begun = try database.value(
        Int.self,
        "SELECT COUNT(*) FROM operation WHERE server_id = ? AND kind = 'recover' AND created_at BETWEEN ? AND ?",
        [id, windowStart, now])
      try database.resetUsage(of: id)
      guard begun ?? 0 < limit else {
        let reason = "The server stopped unexpectedly several times in a row."
        try database.setStatus(.error, reason: reason, of: id, at: now)
        return true
      }
      try database.setStatus(.starting, of: id, at: now)
      try database.queue(.recover, on: id, by: nil, at: now)
      return true
    }
  }
}

extension SQLConnection {
  /// Whether the server has this status, no operation is about to change its power, and nothing has happened to it since the
  /// event: what was observed on the host may be older than a whole operation.
  func isIdle(_ id: ID<Server>, in status: ServerStatus, since event: Int64) throws -> Bool {
    try value(
      Int64.self,
      """
      SELECT id FROM server WHERE id = ? AND status = ? AND deleted_at IS NULL AND NOT EXISTS (
        SELECT 1 FROM operation WHERE operation.server_id = server.id AND \(Core.Operation.mayChangePower)
          AND operation.finished_at IS NULL)
        AND NOT EXISTS (SELECT 1 FROM event WHERE event.id > ? AND event.server_id = server.id)
      """,
      [id, status, event]) != nil
  }
}

extension Core.Operation {
  static let mayChangePower: String = {
    let others = Kind.allCases.filter(\.leavesPowerAlone).map { "'\($0.rawValue)'" }
    return "operation.kind NOT IN (\(others.joined(separator: ", ")))"
  }()
}

extension InventoryItem: RowReadable {
  static let columns = """
    id, uuid, status, plan_id, has_disk, \
    COALESCE((SELECT rescue.awaits_first_boot FROM rescue WHERE rescue.server_id = server.id AND rescue.is_entered = 1),
      server.awaits_first_boot), \
    awaits_new_disk, deleted_at IS NOT NULL, \
    EXISTS (SELECT 1 FROM operation WHERE operation.server_id = server.id AND operation.finished_at IS NULL
      AND \(Core.Operation.mayChangePower)), \
    EXISTS (SELECT 1 FROM rescue WHERE rescue.server_id = server.id AND rescue.is_entered = 1), \
    updated_at
    """

  init(from row: inout RowReader) throws {
    self.init(
      id: try row.next(), uuid: try row.next(), status: try row.next(), planID: try row.next(),
      hasDisk: try row.next(), awaitsFirstBoot: try row.next(), awaitsNewDisk: try row.next(),
      isDeleted: try row.next(), hasOperation: try row.next(), isInRescue: try row.next(),
      updatedAt: try row.next())
  }
}

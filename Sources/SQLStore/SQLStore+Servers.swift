package import Core

extension SQLStore {
  package func server(_ id: ID<Server>, of account: ID<Account>) async throws -> Server? {
    try await read { database in try database.server(id, of: account) }
  }

  package func server(_ id: ID<Server>) async throws -> Server? {
    try await read { database in try database.server(id) }
  }

  package func allServers(after id: ID<Server>?, limit: Int) async throws -> [Server] {
    try await read { database in
      try database.all(
        "\(Server.query) WHERE server.erased_at IS NULL AND server.id > ? ORDER BY server.id LIMIT ?",
        [id?.value ?? 0, limit])
    }
  }

  package func updateServer(
    _ id: ID<Server>, _ change: ServerChange, by caller: Caller, at now: Timestamp
  ) async throws -> Server? {
    try await write { [tariff] database in
      guard let server = try database.server(id, of: caller.accountID) else { return nil }
      if let expected = change.expected, expected != server.writable { throw Failure.changedMeanwhile }
      let changed = change.fields(changedIn: server)
      guard !changed.isEmpty else { return server }
      let changesBackups = changed.contains("backups_enabled")
      if changesBackups { try database.settleHours(of: id, tariff, at: now) }
      try database.run(
        """
        UPDATE server SET name = COALESCE(?, name), hostname = COALESCE(?, hostname),
          is_backup_enabled = COALESCE(?, is_backup_enabled),
          is_delete_protected = COALESCE(?, is_delete_protected), updated_at = ?
        WHERE id = ?
        """,
        [change.name, change.hostname, change.isBackupEnabled, change.isDeleteProtected, now, id])
      if let labels = change.labels, changed.contains("labels") {
        try database.setLabels(labels, of: id, server.accountID)
      }
      if changesBackups, change.isBackupEnabled == true { try database.chargeBackups(of: id, tariff, at: now) }
      var operation: ID<Core.Operation>?
      if changed.contains("hostname"), server.status.mayHaveRunningGuest {
        operation = try database.queueConfigure(server.id, by: caller, at: now)
      }
      try database.audit(
        "server.update", on: id, operation: operation, detail: changed.joined(separator: " "), by: caller, at: now)
      return try database.server(id, of: caller.accountID)
    }
  }

  package func requestAction(
    _ action: PowerAction, on id: ID<Server>, by caller: Caller, at now: Timestamp
  ) async throws -> Server? {
    try await write { database in
      guard let server = try database.server(id, of: caller.accountID) else { return nil }
      let operation = try database.begin(action, on: server, by: caller.requesterID, at: now)
      try database.audit("server.\(action.rawValue)", on: id, operation: operation.id, by: caller, at: now)
      return try database.server(id, of: caller.accountID)
    }
  }

  package func recordConsole(of id: ID<Server>, by caller: Caller, at now: Timestamp) async throws -> Server? {
    try await write { database in
      guard let server = try database.server(id, of: caller.accountID) else { return nil }
      try database.requireNotSuspended(id)
      try server.status.requireActive(hasDisk: server.machine.hasDisk)
      try database.audit("server.console", on: id, by: caller, at: now)
      return server
    }
  }

  package func requestDeletion(
    of id: ID<Server>, expecting expected: Server.Writable? = nil, by caller: Caller, at now: Timestamp
  ) async throws -> ID<Host>? {
    try await write { [tariff] database in
      guard let server = try database.server(id, of: caller.accountID) else { return nil }
      if let expected, server.writable != expected { throw Failure.changedMeanwhile }
      guard !server.isDeleteProtected || caller.isOperating else { throw Failure.deleteProtected }
      let operation = try database.hideAndErase(id, by: caller.requesterID, tariff, at: now)
      try database.audit("server.delete", on: id, operation: operation.id, by: caller, at: now)
      return server.hostID
    }
  }
}

extension SQLConnection {
  /// - Parameter token: The token that requests it; nil for the operator.
  func begin(
    _ action: PowerAction, on server: Server, by token: ID<Token>?, at now: Timestamp
  ) throws -> Core.Operation {
    try requireNotSuspended(server.id)
    let status = try server.status.status(after: action, hasDisk: server.machine.hasDisk)
    if action == .start {
      try holdFirstHourAgain(of: server, at: now)
    }
    try setStatus(status, of: server.id, at: now)
    return try queue(action.operationKind, on: server.id, by: token, at: now)
  }

  /// Hides the server from its customer, ends its billing, and queues the removal of all that there is of it.
  @discardableResult
  func hideAndErase(
    _ id: ID<Server>, by token: ID<Token>?, _ tariff: Tariff, at now: Timestamp
  ) throws -> Core.Operation {
    try settleHours(of: id, tariff, unpaid: .forgive, at: now)
    try run("UPDATE server SET deleted_at = ?, next_hour_at = NULL WHERE id = ?", [now, id])
    try hideCopies(of: id, at: now)
    try forgetOptions(of: id)
    try cancelOvertaken(at: now)
    return try queue(.delete, on: id, by: token, at: now)
  }
}

extension ServerChange {
  /// The names of the fields that get another value.
  fileprivate func fields(changedIn server: Server) -> [String] {
    var fields: [String] = []
    if let name, name != server.name { fields.append("name") }
    if let hostname, hostname != server.hostname { fields.append("hostname") }
    if let isBackupEnabled, isBackupEnabled != server.isBackupEnabled { fields.append("backups_enabled") }
    if let labels, labels != server.labels { fields.append("labels") }
    if let isDeleteProtected, isDeleteProtected != server.isDeleteProtected { fields.append("delete_protection") }
    return fields
  }
}

extension ServerStatus {
  /// Whether a guest may be running that has the old hostname; all others get the new one when they start.
  fileprivate var mayHaveRunningGuest: Bool {
    switch self {
    case .provisioning, .active, .starting, .stopping, .rebooting: true
    case .stopped, .suspended, .error: false
    }
  }
}

extension PowerAction {
  fileprivate var operationKind: Operation.Kind {
    switch self {
    case .start: .start
    case .stop: .stop
    case .hardStop: .hardStop
    case .reboot: .reboot
    }
  }
}

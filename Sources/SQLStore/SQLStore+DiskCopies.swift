package import Core

package import struct Foundation.UUID

extension SQLStore {
  package func diskCopies(
    _ family: DiskCopy.Family, of account: ID<Account>, filter: DiskCopyFilter, order: [ListOrder<DiskCopyKey>],
    page: PageRequest
  ) async throws -> Page<DiskCopy> {
    let condition = DiskCopySelection.condition(family)
    return try await read { database in
      try database.page(
        page, of: "\(DiskCopy.query) WHERE \(condition)", by: OrderClause(order),
        count: "SELECT COUNT(*) FROM disk_copy JOIN server ON server.id = disk_copy.server_id WHERE \(condition)",
        DiskCopySelection.arguments(filter, of: account))
    }
  }

  package func diskCopy(
    _ id: ID<DiskCopy>, _ family: DiskCopy.Family, of account: ID<Account>
  ) async throws -> DiskCopy? {
    try await read { database in try database.diskCopy(id, family, of: account) }
  }

  package func diskCopyID(_ uuid: UUID, of account: ID<Account>) async throws -> ID<DiskCopy>? {
    try await read { database in
      try database.value(
        ID<DiskCopy>.self,
        """
        SELECT disk_copy.id FROM disk_copy JOIN server ON server.id = disk_copy.server_id
        WHERE disk_copy.uuid = ? AND server.account_id = ? AND disk_copy.deleted_at IS NULL
        """,
        [uuid.text, account])
    }
  }

  package func diskCopy(_ id: ID<DiskCopy>) async throws -> DiskCopy? {
    try await read { database in try database.diskCopy(id) }
  }

  package func diskCopies(of server: ID<Server>) async throws -> [DiskCopy] {
    try await read { database in
      try database.all(
        "\(DiskCopy.query) WHERE disk_copy.server_id = ? AND disk_copy.erased_at IS NULL ORDER BY disk_copy.id",
        [server])
    }
  }

  package func createDiskCopy(_ copy: NewDiskCopy, by caller: Caller, at now: Timestamp) async throws -> DiskCopy? {
    try await write { database in
      guard let server = try database.server(copy.serverID, of: caller.accountID) else { return nil }
      try database.requireNotSuspended(server.id)
      try database.requireNoRescue(server)
      try server.status.requireChangeable(hasDisk: server.machine.hasDisk)
      try database.requireQuota(for: copy)
      let id = try database.insert(copy, at: now)
      let kind: Core.Operation.Kind = copy.kind == .snapshot ? .snapshot : .backup
      let operation = try database.queue(kind, about: id.value, on: server.id, by: caller.tokenID, at: now)
      try database.audit(
        "\(kind.rawValue).create", on: server.id, operation: operation.id, detail: "\(id)", by: caller, at: now)
      return try database.diskCopy(id).orFail("the copy was not written")
    }
  }

  package func requestRestore(
    of id: ID<DiskCopy>, _ family: DiskCopy.Family, by caller: Caller, at now: Timestamp
  ) async throws -> RequestedOperation? {
    try await write { database in
      guard let copy = try database.diskCopy(id, family, of: caller.accountID),
        let server = try database.server(copy.serverID, of: caller.accountID)
      else { return nil }
      guard copy.status == .completed else {
        throw Failure(.wrongState, "\(family.noun.capitalized) is \(copy.status.rawValue).")
      }
      try database.requireNotSuspended(server.id)
      try database.requireNoRescue(server)
      try server.status.requireChangeable(hasDisk: server.machine.hasDisk)
      guard try !database.hasUnfinished(.restore, on: server.id) else {
        throw Failure(.conflict, "Server is being restored already.")
      }
      let operation = try database.queue(.restore, about: id.value, on: server.id, by: caller.tokenID, at: now)
      try database.audit(
        "\(family.noun).restore", on: server.id, operation: operation.id, detail: "\(id)", by: caller, at: now)
      return RequestedOperation(
        server: try database.server(server.id).orFail("the server is gone"), operation: operation)
    }
  }

  package func requestDiscard(
    of id: ID<DiskCopy>, _ family: DiskCopy.Family, by caller: Caller, at now: Timestamp
  ) async throws -> ID<Server>? {
    try await write { database in
      guard let copy = try database.diskCopy(id, family, of: caller.accountID) else { return nil }
      let operation = try database.discard(copy, by: caller.tokenID, at: now)
      try database.audit(
        "\(family.noun).delete", on: copy.serverID, operation: operation, detail: "\(id)", by: caller, at: now)
      return copy.serverID
    }
  }
}

extension DiskCopy.Family {
  fileprivate var noun: String {
    switch self {
    case .backup: "backup"
    case .snapshot: "snapshot"
    }
  }
}

extension SQLConnection {
  fileprivate func requireQuota(for copy: NewDiskCopy) throws {
    guard let quota = copy.quota else { return }
    let count = try value(
      Int.self,
      "SELECT COUNT(*) FROM disk_copy WHERE server_id = ? AND deleted_at IS NULL AND kind <> 'automatic'",
      [copy.serverID])
    guard count ?? 0 < quota else { throw Failure(.permissionDenied, "Copy quota of the server reached (\(quota)).") }
  }

  fileprivate func insert(_ copy: NewDiskCopy, at now: Timestamp) throws -> ID<DiskCopy> {
    try value(
      ID<DiskCopy>.self,
      """
      INSERT INTO disk_copy (uuid, server_id, kind, name, description, status, created_at)
      VALUES (?, ?, ?, ?, ?, 'pending', ?) RETURNING id
      """,
      [copy.uuid.text, copy.serverID, copy.kind, copy.name, copy.description, now]
    ).orFail("the copy was not written")
  }
}

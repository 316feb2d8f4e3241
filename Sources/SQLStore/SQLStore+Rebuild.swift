package import Core

extension SQLStore {
  package func requestRebuild(
    of id: ID<Server>, with system: NewSystem, by caller: Caller, at now: Timestamp
  ) async throws -> RequestedOperation? {
    try await write { database in
      guard let server = try database.server(id, of: caller.accountID) else { return nil }
      guard !server.isDeleteProtected || caller.isOperating else { throw Failure.deleteProtected }
      try database.requireNotSuspended(id)
      try database.requireNoRescue(server)
      try server.status.requireChangeable(hasDisk: server.machine.hasDisk)
      try database.requireOffered(system.operatingSystemID)
      guard try !database.hasUnfinished(.rebuild, on: id) else {
        throw Failure(.conflict, "Server is being rebuilt already.")
      }
      let newKeys = try database.installKeys(system.sshKeyIDs, of: caller.accountID, at: now)
      let authorizedKey = newKeys ?? server.machine.authorizedKey
      // The caller has looked whether there is a key; a rebuild that ended since may have changed that.
      guard (authorizedKey == nil) == (system.rootPasswordHash != nil) else {
        throw Failure(.conflict, Failure.changedMeanwhile.message)
      }
      if server.status == .error { try database.holdFirstHourAgain(of: server, at: now) }
      let operation = try database.queue(
        .rebuild, about: system.operatingSystemID.value, on: id, by: caller.requesterID, at: now)
      try database.run(
        """
        INSERT INTO rebuild (operation_id, authorized_key, root_password_hash, keeps_user_data, sealed_user_data)
        VALUES (?, ?, ?, ?, ?)
        """,
        [
          operation.id, authorizedKey, system.rootPasswordHash, system.userData == .same, system.userData.sealed,
        ])
      try database.audit("server.rebuild", on: id, operation: operation.id, by: caller, at: now)
      let changed = try database.server(id, of: caller.accountID).orFail("the server is gone")
      return RequestedOperation(server: changed, operation: operation)
    }
  }
}

extension NewSystem.UserData {
  fileprivate var sealed: [UInt8]? {
    switch self {
    case .same, .none: nil
    case .sealed(let bytes): bytes
    }
  }
}

package import Core

extension SQLStore {
  package func requestRescue(
    of id: ID<Server>, _ rescue: NewRescue, by caller: Caller, at now: Timestamp
  ) async throws -> RequestedOperation? {
    try await write { database in
      guard let server = try database.server(id, of: caller.accountID) else { return nil }
      try database.requireNotSuspended(id)
      if let known = server.machine.rescue {
        throw known.isEntered
          ? Failure(.wrongState, "Server is in the rescue system already.")
          : Failure(.conflict, "Server is booting the rescue system already.")
      }
      try server.status.requireSettled(hasDisk: server.machine.hasDisk)
      try database.requireNoMove(id)
      guard !server.machine.awaitsNewDisk else {
        throw Failure(.wrongState, "Server has no disk until it is rebuilt or restored.")
      }
      let authorizedKey = try database.installKeys(rescue.sshKeyIDs, of: caller.accountID, at: now)
      if server.status == .error { try database.holdFirstHourAgain(of: server, at: now) }
      try database.run(
        "INSERT INTO rescue (server_id, authorized_key, root_password_hash, storage_gib) VALUES (?, ?, ?, ?)",
        [id, authorizedKey, rescue.rootPasswordHash, Rescue.storageGiB])
      let operation = try database.queue(.rescue, on: id, by: caller.tokenID, at: now)
      try database.audit("server.rescue", on: id, operation: operation.id, by: caller, at: now)
      let changed = try database.server(id, of: caller.accountID).orFail("the server is gone")
      return RequestedOperation(server: changed, operation: operation)
    }
  }

  package func requestEndOfRescue(
    of id: ID<Server>, by caller: Caller, at now: Timestamp
  ) async throws -> RequestedOperation? {
    try await write { database in
      guard let server = try database.server(id, of: caller.accountID) else { return nil }
      try database.requireNotSuspended(id)
      guard server.machine.rescue != nil else { throw Failure(.wrongState, "Server is not in the rescue system.") }
      try server.status.requireSettled(hasDisk: server.machine.hasDisk)
      guard try !database.hasUnfinished(.leaveRescue, on: id), server.isInRescue else {
        throw Failure(.wrongState, "Server is on its way into the rescue system, or out of it, already.")
      }
      let operation = try database.queue(.leaveRescue, on: id, by: caller.tokenID, at: now)
      try database.audit("server.leave_rescue", on: id, operation: operation.id, by: caller, at: now)
      let changed = try database.server(id, of: caller.accountID).orFail("the server is gone")
      return RequestedOperation(server: changed, operation: operation)
    }
  }

  package func recordPasswordReset(of id: ID<Server>, by caller: Caller, at now: Timestamp) async throws -> Bool {
    try await write { database in
      guard try database.server(id, of: caller.accountID) != nil else { return false }
      try database.audit("server.reset_password", on: id, by: caller, at: now)
      return true
    }
  }
}

package import Core

extension SQLStore {
  package func createServer(
    _ server: NewServer, pools: AddressPools.Pair, by caller: Caller, at now: Timestamp
  ) async throws -> Server {
    try await write { database in
      try database.requireOpen(server.accountID, for: caller)
      try database.requireQuota(for: server)
      try database.requireOpen(server.location)
      try database.requireOffered(server.plan, at: server.location)
      try database.requireOffered(server.operatingSystemID)
      let authorizedKey = try database.installKeys(server.sshKeyIDs, of: server.accountID, at: now)
      try database.requireCredit(server.plan.pricePerHour, of: server.accountID)
      let host = try database.chooseHost(for: server.plan, at: server.location)
      let id = try database.insert(server, on: host.id, authorizedKey: authorizedKey, at: now)
      try database.assignAddress(of: pools.ipv4, to: id, location: server.location, at: now)
      if let pool = pools.ipv6 { try database.assignNetwork(of: pool, to: id, location: server.location, at: now) }
      if server.firewall != .disabled { try database.replaceFirewall(of: id, with: server.firewall, at: now) }
      if !server.labels.isEmpty { try database.setLabels(server.labels, of: id, server.accountID) }
      if let sealed = server.sealedUserData { try database.setUserData(sealed, of: id) }
      try database.append(.hold, -server.plan.pricePerHour, to: server.accountID, for: id, at: now)
      let operation = try database.queue(.create, on: id, by: caller.requesterID, at: now)
      try database.audit("server.create", on: id, operation: operation.id, by: caller, at: now)
      return try database.server(id).orFail("the server was not written")
    }
  }
}

extension SQLConnection {
  fileprivate func requireQuota(for server: NewServer) throws {
    guard let quota = server.quota else { return }
    let count = try value(
      Int.self, "SELECT COUNT(*) FROM server WHERE account_id = ? AND deleted_at IS NULL", [server.accountID])
    guard count ?? 0 < quota else { throw Failure(.permissionDenied, "Server quota reached (\(quota)).") }
  }

  fileprivate func insert(
    _ server: NewServer, on host: ID<Host>, authorizedKey: String?, at now: Timestamp
  ) throws -> ID<Server> {
    let id = try value(
      ID<Server>.self,
      """
      INSERT INTO server (uuid, account_id, name, hostname, status, plan_id, operating_system_id, location, host_id,
        vcpus, memory_mib, storage_gib, is_backup_enabled, authorized_key, root_password_hash, credit_hold,
        price_per_hour, hardware_address, is_delete_protected, created_at, updated_at)
      VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
      RETURNING id
      """,
      [
        server.uuid.text, server.accountID, server.name, server.hostname, ServerStatus.provisioning, server.plan.id,
        server.operatingSystemID, server.location, host, server.plan.vcpus, server.plan.memoryMiB,
        server.plan.storageGiB,
        server.isBackupEnabled, authorizedKey, server.rootPasswordHash, server.plan.pricePerHour,
        server.plan.pricePerHour, unusedHardwareAddress(), server.isDeleteProtected, now, now,
      ])
    return try id.orFail("the server was not written")
  }

  /// An address that no server has, or ever had.
  func unusedHardwareAddress(_ draw: () -> HardwareAddress = HardwareAddress.random) throws -> HardwareAddress {
    while true {
      let address = draw()
      let owner = try value(ID<Server>.self, "SELECT id FROM server WHERE hardware_address = ?", [address])
      if owner == nil { return address }
    }
  }
}

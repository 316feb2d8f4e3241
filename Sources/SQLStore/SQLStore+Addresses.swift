package import Core

extension SQLStore {
  package func addresses(after last: ServerAddress?, limit: Int) async throws -> [AddressRecord] {
    try await read { database in
      let last = last?.given
      return try database.all(
        """
        SELECT \(AddressRecord.columns) FROM address WHERE (family, base, number) > (?, ?, ?)
        ORDER BY family, base, number LIMIT ?
        """,
        [last.map { type(of: $0).family.rawValue } ?? 0, last?.base ?? 0, last?.orderKey ?? 0, limit])
    }
  }

  package func tenures(of address: ServerAddress, newest count: Int) async throws -> [AddressTenure] {
    try await read { database in
      try database.all(
        """
        SELECT \(AddressTenure.columns) FROM address_history AS history
        JOIN server ON server.id = history.server_id JOIN account ON account.id = history.account_id
        WHERE history.family = ? AND history.bytes = ? ORDER BY history.id DESC LIMIT ?
        """,
        [address.family, address.given.bytes, count])
    }
  }

  package func addAddress(
    _ wanted: WantedAddress, to id: ID<Server>, pools: AddressPools.Pair, limit: Int, at now: Timestamp
  ) async throws -> AddressChange? {
    try await write { database in
      guard let server = try database.visibleServer(id) else { return nil }
      // At another location it would be given up with the others, and nothing be given for it.
      try database.requireNoMove(id)
      guard server.address != nil else {
        throw Failure(.wrongState, "Nothing was made of the server \(id): it can only be deleted.")
      }
      guard server.addresses.all.count < limit else {
        throw Failure(
          .permissionDenied, "The server \(id) has \(limit) addresses, and may have no more (addresses_per_server).")
      }
      let address: ServerAddress
      switch wanted {
      case .next(.ipv4):
        address = .ipv4(try database.assignAddress(of: pools.ipv4, to: id, location: server.location, at: now))
      case .next(.ipv6):
        guard let pool = pools.ipv6 else {
          throw Failure(.unprocessable, "There is no IPv6 at \(server.location): address_pool6.")
        }
        address = .ipv6(try database.assignNetwork(of: pool, to: id, location: server.location, at: now))
      case .exactly(let named, let rest):
        guard let gift = pools.gift(for: named) else {
          throw Failure(
            .unprocessable,
            "\(named) is in no pool of \(server.location), or left out of it (reserved_addresses).")
        }
        try database.requireFree(gift, for: server, rested: rest, at: now)
        try database.requireApart(gift)
        try database.give(gift.given, to: id, location: server.location, at: now)
        address = gift
      }
      return try database.readdressed(server, "address.add", address, at: now)
    }
  }

  package func removeAddress(
    _ address: ServerAddress, from id: ID<Server>, at now: Timestamp
  ) async throws -> AddressChange? {
    try await write { database in
      guard let server = try database.visibleServer(id) else { return nil }
      try database.requireNoMove(id)
      let names = [address, address.enclosing]
      guard let own = names.lazy.compactMap({ name in server.addresses.all.first { $0 == name } }).first else {
        if server.addresses.leaving.contains(where: names.contains) {
          throw Failure(.conflict, "\(address) is being taken from the server \(id) already.")
        }
        let owner = try names.lazy.compactMap { try database.addressRecord($0)?.serverID }.first
        throw Failure(
          .notFound,
          "\(address) is no address of the server \(id)" + (owner.map { ", but of the server \($0)." } ?? "."))
      }
      if own.family == .ipv4, server.addresses.ipv4.count == 1 {
        throw Failure(.wrongState, "\(own) is the only IPv4 address of the server \(id), which keeps one.")
      }
      try database.run(
        "UPDATE address SET is_leaving = 1 WHERE server_id = ? AND family = ? AND bytes = ?",
        [id, own.family, own.given.bytes])
      return try database.readdressed(server, "address.remove", own, at: now)
    }
  }

  package func recordAddresses(
    _ addresses: ServerAddresses, of id: ID<Server>, lease: Lease, at now: Timestamp
  ) async throws {
    _ = try await write { database in
      guard try database.operation(under: lease)?.serverID == id else { return }
      for address in addresses.leaving where try database.addressRecord(address)?.isLeaving == true {
        try database.release(address.given, of: id, at: now)
      }
      try database.run(
        "UPDATE server SET address_applied_revision = ?1 WHERE id = ?2 AND address_applied_revision < ?1",
        [addresses.revision, id])
    }
  }

  package func readdressMissed(
    on host: ID<Core.Host>, triedBefore moment: Timestamp, at now: Timestamp
  ) async throws -> Bool {
    // Nearly always there is none, so a read comes first and nothing is written.
    if try await read({ try $0.missedReaddresses(on: host, triedBefore: moment, at: now).isEmpty }) { return false }
    return try await write { database in
      let servers = try database.missedReaddresses(on: host, triedBefore: moment, at: now)
      for server in servers { try database.queue(.readdress, on: server, by: nil, at: now) }
      return !servers.isEmpty
    }
  }

  package func reserveAddresses(
    _ addresses: [ServerAddress], at locations: [String], at now: Timestamp
  ) async throws {
    _ = try await write { database in
      for (address, location) in zip(addresses, locations) {
        let given = address.given
        try database.run(
          """
          INSERT INTO address (family, base, number, bytes, prefix_length, location, assigned_at, released_at, is_reserved)
          VALUES (?, ?, ?, ?, ?, ?, ?, ?, 1) ON CONFLICT (family, bytes) DO UPDATE SET is_reserved = 1
          """,
          [address.family, given.base, given.orderKey, given.bytes, given.prefixLength, location, now, now])
        try database.auditOperator("address.reserve", detail: address.description, at: now)
      }
    }
  }

  package func endReservation(of addresses: [ServerAddress], at now: Timestamp) async throws {
    _ = try await write { database in
      for address in addresses {
        let bytes = address.given.bytes
        let released = try database.run(
          "UPDATE address SET is_reserved = 0 WHERE family = ? AND bytes = ? AND is_reserved = 1",
          [address.family, bytes])
        guard released > 0 else { throw Failure(.unprocessable, "\(address) is not reserved.") }
        // An address that no server ever had loses its row, which the reservation has made.
        try database.run(
          """
          DELETE FROM address WHERE family = ?1 AND bytes = ?2 AND server_id IS NULL
            AND NOT EXISTS (SELECT 1 FROM address_history WHERE family = ?1 AND bytes = ?2)
          """,
          [address.family, bytes])
        try database.auditOperator("address.release", detail: address.description, at: now)
      }
    }
  }
}

extension SQLConnection {
  fileprivate func missedReaddresses(
    on host: ID<Core.Host>, triedBefore moment: Timestamp, at now: Timestamp
  ) throws -> [ID<Server>] {
    try rows(
      """
      SELECT id FROM server WHERE host_id = ? AND address_applied_revision < address_revision
        AND deleted_at IS NULL AND has_disk = 1 AND awaits_new_disk = 0
        AND NOT EXISTS (SELECT 1 FROM operation WHERE server_id = server.id AND (finished_at IS NULL
          OR (kind = 'readdress' AND finished_at > ? AND finished_at <= ?)))
      """,
      [host, moment, now]
    ) { row in try row.next() }
  }

  fileprivate func addressRecord(_ address: ServerAddress) throws -> AddressRecord? {
    try first(
      "SELECT \(AddressRecord.columns) FROM address WHERE family = ? AND bytes = ?",
      [address.family, address.given.bytes])
  }

  fileprivate func requireFree(
    _ address: ServerAddress, for server: Server, rested rest: Duration, at now: Timestamp
  ) throws {
    guard let known = try addressRecord(address) else { return }
    if let owner = known.serverID {
      let sentence =
        known.isLeaving
        ? "\(address) is still being taken from the server \(owner): try again in a moment."
        : owner == server.id
          ? "The server \(owner) has \(address) already." : "\(address) is an address of the server \(owner)."
      throw Failure(.conflict, sentence)
    }
    if known.isReserved {
      throw Failure(.conflict, "\(address) is reserved; `vpsd address reserve --release \(address)` ends that.")
    }
    let formerly = try value(
      ID<Account>.self,
      "SELECT account_id FROM address_history WHERE family = ? AND bytes = ? ORDER BY id DESC LIMIT 1",
      [address.family, address.given.bytes])
    if let until = known.restsUntil(rest, at: now), let formerly, formerly != server.accountID {
      throw Failure(
        .conflict,
        "\(address) was the account \(formerly)'s a moment ago, and rests until \(until.wireFormat) (address_rest). "
          + "--at-once gives it all the same.")
    }
  }

  /// Counts the change of the server's addresses, and queues the operation that tells host and guest.
  fileprivate func readdressed(
    _ server: Server, _ action: String, _ address: ServerAddress, at now: Timestamp
  ) throws -> AddressChange {
    try run(
      "UPDATE server SET address_revision = address_revision + 1, updated_at = ? WHERE id = ?", [now, server.id])
    // A queued operation will read the new addresses; a running one may have read the old ones.
    let waiting = try value(
      ID<Core.Operation>.self,
      "SELECT id FROM operation WHERE server_id = ? AND kind = 'readdress' AND state = 'queued'", [server.id])
    let operation = try waiting ?? queue(.readdress, on: server.id, by: nil, at: now).id
    try auditOperator(
      action, account: server.accountID, server: server.id, operation: operation, detail: address.description, at: now)
    return AddressChange(address: address, operationID: operation)
  }
}

extension AddressRecord: RowReadable {
  static let columns =
    "\(ServerAddress.columns), location, server_id, assigned_at, released_at, is_reserved, is_leaving"

  init(from row: inout RowReader) throws {
    self.init(
      address: try row.address(), location: try row.next(), serverID: try row.next(), assignedAt: try row.next(),
      releasedAt: try row.next(), isReserved: try row.next(), isLeaving: try row.next())
  }
}

extension AddressTenure: RowReadable {
  static let columns = "history.server_id, server.name, account.email, history.assigned_at, history.released_at"

  init(from row: inout RowReader) throws {
    self.init(
      serverID: try row.next(), serverName: try row.next(), email: try row.next(), assignedAt: try row.next(),
      releasedAt: try row.next())
  }
}

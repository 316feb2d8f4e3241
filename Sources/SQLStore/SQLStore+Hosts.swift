package import Core

package import struct Foundation.UUID

extension SQLStore {
  package func registerHosts(_ declared: [HostDeclaration], at now: Timestamp) async throws -> [Host] {
    try await write { database in
      try database.run("UPDATE host SET is_configured = 0 WHERE is_configured = 1")
      try database.tell("host")
      return try declared.map { try database.register($0, of: nil, at: now) }
    }
  }

  package func registerOwnHost(
    _ declared: HostDeclaration, of directory: UUID, mayShareLocation: Bool, at now: Timestamp
  ) async throws -> Host {
    try await write { database in
      try database.requireOwn(declared.name, of: directory)
      if !mayShareLocation { try database.requireNoNeighbour(of: declared) }
      try database.run(
        """
        UPDATE host SET is_configured = 0, data_directory_id = NULL
        WHERE name <> ? AND server_count = 0 AND (data_directory_id IS NULL OR data_directory_id = ?)
        """,
        [declared.name, directory])
      try database.tell("host")
      return try database.register(declared, of: directory, at: now)
    }
  }

  package func hosts() async throws -> [HostLoad] {
    try await read { database in
      try database.all("SELECT \(HostLoad.columns) FROM host WHERE is_configured = 1 OR server_count > 0 ORDER BY id")
    }
  }

  package func recordAnswer(of id: ID<Host>, capacity: HostCapacity?) async throws {
    try await write { database in
      try database.run(
        "UPDATE host SET away_since = NULL, vcpus = ?, memory_mib = ?, storage_gib = ? WHERE id = ?",
        [capacity?.vcpus, capacity?.memoryMiB, capacity?.storageGiB, id])
      try database.tell("host")
    }
  }

  package func recordAway(_ id: ID<Host>, since time: Timestamp) async throws {
    try await write { database in
      try database.run("UPDATE host SET away_since = COALESCE(away_since, ?) WHERE id = ?", [time, id])
      try database.tell("host")
    }
  }

  package func recordFirewalls(of id: ID<Host>, areEnforced: Bool) async throws {
    try await write { database in
      try database.run("UPDATE host SET enforces_firewalls = ? WHERE id = ?", [areEnforced, id])
      try database.tell("host")
    }
  }

  package func setDraining(
    _ isDraining: Bool, movingServersAt time: Timestamp?, host name: String, by operator: Operator, at now: Timestamp
  ) async throws -> Host? {
    try await write { database in
      try database.run(
        isDraining
          ? "UPDATE host SET fence = NULL WHERE name = ? AND fence = 'released'"
          : "UPDATE host SET fence = 'released', fence_failure = NULL WHERE name = ? AND fence IN ('begun', 'done')",
        [name])
      let host: Host? = try database.first(
        "UPDATE host SET is_draining = ?, moves_servers_at = ? WHERE name = ? RETURNING \(Host.columns)",
        [isDraining, isDraining ? time : nil, name])
      guard let host else { return nil }
      try database.tell("host")
      let detail = host.movesServersAt.map { "\(host.name), servers move from \($0.wireFormat)" } ?? host.name
      try database.auditOperator(
        isDraining ? "host.drain" : "host.undrain", by: `operator`, detail: detail, at: now)
      return host
    }
  }

  package func renameHost(
    _ name: String, to newName: String, by operator: Operator, at now: Timestamp
  ) async throws -> Host {
    try await write { database in
      let host = try database.idleHost(name)
      guard try database.value(ID<Host>.self, "SELECT id FROM host WHERE name = ?", [newName]) == nil else {
        throw HostRefused("There is, or was, another host \(newName.quoted): a name is used once.")
      }
      try database.run("UPDATE host SET name = ?, data_directory_id = NULL WHERE id = ?", [newName, host.id])
      try database.auditOperator("host.rename", by: `operator`, detail: "\(name) to \(newName)", at: now)
      return try database.host(host.id).orFail("the host is gone")
    }
  }

  package func removeHost(_ name: String, by operator: Operator, at now: Timestamp) async throws -> Host {
    try await write { database in
      let host = try database.idleHost(name)
      let count = try database.value(Int.self, "SELECT server_count FROM host WHERE id = ?", [host.id]) ?? 0
      guard count == 0 else {
        throw HostRefused(
          "The host \(name.quoted) has \(count) server(s): delete them first, or give them up with it (--delete-servers)."
        )
      }
      try database.forgetMoves(besides: host)
      try database.run("UPDATE host SET is_configured = 0, data_directory_id = NULL WHERE id = ?", [host.id])
      try database.tell("host")
      try database.auditOperator("host.remove", by: `operator`, detail: name, at: now)
      return try database.host(host.id).orFail("the host is gone")
    }
  }

  package func hosts(ofMachines machines: [UUID]) async throws -> [UUID: ID<Host>] {
    try await read { database in
      var found: [UUID: ID<Host>] = [:]
      for machine in machines {
        found[machine] = try database.value(
          ID<Host>.self, "SELECT host_id FROM server WHERE uuid = ? AND erased_at IS NULL", [machine.text])
      }
      return found
    }
  }
}

extension SQLConnection {
  /// - Parameter directory: The id of the only data directory whose service has the host; nil where every service has it.
  fileprivate func register(_ host: HostDeclaration, of directory: UUID?, at now: Timestamp) throws -> Host {
    let id = try value(
      ID<Host>.self,
      """
      INSERT INTO host (name, location, driver, url, data_directory_id, is_configured, away_since)
      VALUES (?, ?, ?, ?, ?, 1, ?)
      ON CONFLICT (name) DO UPDATE SET location = excluded.location, driver = excluded.driver, url = excluded.url,
        data_directory_id = excluded.data_directory_id, is_configured = 1
      RETURNING id
      """,
      [host.name, host.location, host.driver, host.url, directory, now])
    return try self.host(id.orFail("the host was not written")).orFail("the host is gone")
  }

  /// Throws where servers could be taken for those of another machine: their own service would find none of them there.
  fileprivate func requireOwn(_ name: String, of directory: UUID) throws {
    let owner = try value(UUID?.self, "SELECT data_directory_id FROM host WHERE name = ?", [name]) ?? nil
    if let owner, owner != directory {
      throw HostRefused(
        "host_name: the host \(name.quoted) is that of another data directory. Give this one another name, or where the other "
          + "is gone for good, remove that host first (vpsd host remove).")
    }
    let other = try rows(
      """
      SELECT name, server_count, data_directory_id FROM host
      WHERE name <> ? AND server_count > 0 AND (data_directory_id = ? OR data_directory_id IS NULL AND is_configured = 1
        AND NOT EXISTS (SELECT 1 FROM host AS own WHERE own.is_configured = 1 AND own.data_directory_id IS NOT NULL))
      ORDER BY id LIMIT 1
      """,
      [name, directory]
    ) { row in
      (name: try row.next(String.self), count: try row.next(Int.self), owner: try row.next(UUID?.self))
    }.first
    guard let other else { return }
    let whose = other.owner == nil ? "no service has said that it is its own" : "it is the one of this data directory"
    throw HostRefused(
      "host_name: the host \(other.name.quoted) has \(other.count) server(s), and \(whose). On the machine that runs them: vpsd host "
        + "rename \(other.name) NAME, then start its service with that host_name.")
  }

  fileprivate func requireNoNeighbour(of host: HostDeclaration) throws {
    let neighbour = try value(
      String.self,
      """
      SELECT name FROM host WHERE name <> ? AND location = ? AND is_configured = 1 AND data_directory_id IS NOT NULL
      ORDER BY id LIMIT 1
      """,
      [host.name, host.location])
    guard let neighbour else { return }
    throw HostRefused(
      "host_location: the host \(neighbour.quoted) is at \((host.location ?? "").quoted) too, and the addresses of a location are routed "
        + "to one machine. Give each its own location, or have the servers of all on one bridge (network: bridge).")
  }

  /// Throws where there is no such host, or a service has it at the moment.
  func idleHost(_ name: String) throws -> Host {
    let found: Host? = try first("SELECT \(Host.columns) FROM host WHERE name = ?", [name])
    guard let found else { throw HostRefused("There is no host \(name.quoted).") }
    let until =
      try value(
        Timestamp?.self,
        """
        SELECT MAX(duty.expires_at) FROM host JOIN duty ON duty.name = 'host ' || host.id
          OR host.is_configured = 1 AND duty.name = 'location ' || host.location
        WHERE host.id = ?
        """,
        [found.id]) ?? nil
    guard try until.map({ try $0 <= time() }) ?? true else {
      throw HostRefused("A service has the host \(name.quoted) at the moment: stop it first.")
    }
    return found
  }
}

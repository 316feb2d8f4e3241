package import Core

package import struct Foundation.UUID

extension SQLStore {
  package func registerHosts(_ declared: [HostDeclaration], at now: Timestamp) async throws -> [Host] {
    try await write { database in
      try database.run("UPDATE host SET is_configured = 0 WHERE is_configured = 1")
      return try declared.map { host in
        let id = try database.value(
          ID<Host>.self,
          """
          INSERT INTO host (name, location, driver, is_configured, away_since) VALUES (?, ?, ?, 1, ?)
          ON CONFLICT (name) DO UPDATE SET location = excluded.location, driver = excluded.driver, is_configured = 1
          RETURNING id
          """,
          [host.name, host.location, host.driver, now])
        return try database.host(id.orFail("the host was not written")).orFail("the host is gone")
      }
    }
  }

  package func hosts() async throws -> [HostLoad] {
    try await read { database in
      try database.all("SELECT \(HostLoad.columns) FROM host WHERE is_configured = 1 OR server_count > 0 ORDER BY id")
    }
  }

  package func recordAnswer(of id: ID<Host>, capacity: HostCapacity?) async throws {
    _ = try await write { database in
      try database.run(
        "UPDATE host SET away_since = NULL, vcpus = ?, memory_mib = ?, storage_gib = ? WHERE id = ?",
        [capacity?.vcpus, capacity?.memoryMiB, capacity?.storageGiB, id])
    }
  }

  package func recordAway(_ id: ID<Host>, since time: Timestamp) async throws {
    _ = try await write { database in
      try database.run("UPDATE host SET away_since = COALESCE(away_since, ?) WHERE id = ?", [time, id])
    }
  }

  package func setDraining(
    _ isDraining: Bool, host name: String, by operator: Operator, at now: Timestamp
  ) async throws -> Host? {
    try await write { database in
      let host: Host? = try database.first(
        "UPDATE host SET is_draining = ? WHERE name = ? RETURNING \(Host.columns)", [isDraining, name])
      guard let host else { return nil }
      try database.auditOperator(
        isDraining ? "host.drain" : "host.undrain", by: `operator`, detail: host.name, at: now)
      return host
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

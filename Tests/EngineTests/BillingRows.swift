import Core
import TestSupport

@testable import SQLStore

extension SQLStore {
  /// When the hours of a server began that were charged.
  func chargedHours(of id: ID<Server>) async throws -> [Timestamp] {
    try await read { database in
      try database.rows(
        "SELECT hour_began_at FROM ledger_entry WHERE server_id = ? AND reason = 'charge' AND number IS NOT NULL ORDER BY id",
        [id]
      ) { row in try row.next(Timestamp.self) }
    }
  }

  func chargedNumbers(of id: ID<Server>) async throws -> [Int64] {
    try await read { database in
      try database.rows(
        "SELECT number FROM ledger_entry WHERE server_id = ? AND reason = 'charge' AND number IS NOT NULL", [id]
      ) { row in try row.next(Int64.self) }
    }
  }

  /// As the database is before the first look of the meter.
  func asBeforeBilling() async throws {
    _ = try await write { database in
      try database.run("DELETE FROM setting WHERE key = 'billed_at'")
      try database.run("UPDATE server SET next_hour_at = NULL, next_hour_number = 0")
    }
  }

  func setPrice(_ price: Money, ofPlan id: ID<Plan>) async throws {
    _ = try await write { database in
      try database.run("UPDATE plan SET price_per_hour = ? WHERE id = ?", [price, id])
    }
  }

  /// Makes so many of one server, with credit for all of them.
  func multiply(_ id: ID<Server>, count: Int) async throws {
    _ = try await write { database in
      try database.append(
        .credit, Money(microunits: 1_000_000_000_000) - database.balance(of: ID(1)), to: ID(1),
        at: Timestamp(millisecondsSinceEpoch: 0))
      try database.run(
        """
        WITH RECURSIVE number (value) AS (SELECT 2 UNION ALL SELECT value + 1 FROM number WHERE value < ?1)
        INSERT INTO server (uuid, account_id, name, hostname, status, plan_id, operating_system_id, location, vcpus,
          memory_mib, storage_gib, is_backup_enabled, has_disk, was_ever_ready, credit_hold, created_at, updated_at,
          price_per_hour, next_hour_at, next_hour_number)
        SELECT uuid || value, account_id, name, hostname, 'stopped', plan_id, operating_system_id, location, vcpus,
          memory_mib, storage_gib, 0, 1, 1, 0, created_at, updated_at, price_per_hour, next_hour_at, next_hour_number
        FROM server, number WHERE id = ?2
        """,
        [count, id])
    }
  }

  func chargeCount() async throws -> Int? {
    try await read { database in
      try database.value(Int.self, "SELECT COUNT(*) FROM ledger_entry WHERE reason = 'charge'")
    }
  }
}

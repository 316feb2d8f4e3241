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
}

package import Core

import struct Foundation.UUID

extension SQLStore {
  /// By how much the clocks of services may differ.
  private static let clockTolerance = Duration.seconds(300)

  package func beginTry(
    about subject: String, atMost limit: Int, within span: Duration, at now: Timestamp
  ) async throws -> String? {
    try await write { database in
      try database.run(
        "DELETE FROM wrong_try WHERE name IN (SELECT name FROM wrong_try WHERE at <= ? ORDER BY at LIMIT 100)",
        [now - span])
      // What was tried while the clock was ahead would otherwise count until that time.
      let latest = now + Self.clockTolerance
      try database.run(
        "DELETE FROM wrong_try WHERE name IN (SELECT name FROM wrong_try WHERE at > ? ORDER BY at LIMIT 100)",
        [latest])
      let count = try database.value(
        Int.self, "SELECT COUNT(*) FROM wrong_try WHERE subject = ? AND at > ? AND at <= ?",
        [subject, now - span, latest])
      guard count ?? 0 < limit else { return nil }
      let name = UUID.random().text
      try database.run("INSERT INTO wrong_try (name, subject, at) VALUES (?, ?, ?)", [name, subject, now])
      return name
    }
  }

  package func forgetTry(_ name: String) async throws {
    _ = try await write { database in try database.run("DELETE FROM wrong_try WHERE name = ?", [name]) }
  }

  package func takeAttempt(of client: String, perMinute: Int, at now: Timestamp) async throws -> Duration? {
    try await write { database in
      try database.run(
        "DELETE FROM attempt WHERE client IN (SELECT client FROM attempt WHERE full_at <= ? ORDER BY full_at LIMIT 100)",
        [now])
      let minute = Duration.seconds(60)
      let interval = minute / max(perMinute, 1)
      let known = try database.value(Timestamp.self, "SELECT full_at FROM attempt WHERE client = ?", [client])
      // After the clock was set back, nobody waits for longer than a minute.
      let before = min(max(known ?? now, now), now + minute)
      guard before + interval <= now + minute else { return before + interval - (now + minute) }
      try database.run(
        "INSERT INTO attempt (client, full_at) VALUES (?, ?) ON CONFLICT (client) DO UPDATE SET full_at = excluded.full_at",
        [client, before + interval])
      return nil
    }
  }
}

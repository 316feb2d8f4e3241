package import Core

import struct Foundation.UUID

extension SQLStore {
  package func beginDueBackups(
    of day: BackupDay, atOnce limit: Int, at now: Timestamp
  ) async throws -> BackupProgress {
    try await write { database in
      if try database.isNew(day) { try database.plan(day) }
      try database.forgetPlansThatFell()
      let due = try database.hostsThatAnswer().flatMap { host in
        try database.serversDue(on: host, atOnce: limit)
      }
      for server in due { try database.beginBackup(of: server, at: now) }
      let waiting = try database.value(Int.self, "SELECT COUNT(*) FROM server WHERE backup_due_at IS NOT NULL")
      return BackupProgress(begun: due, waitingCount: waiting ?? 0)
    }
  }

  package func trusts(_ now: Timestamp, after elapsed: Duration) async throws -> Bool {
    try await write { database in
      let seen = try database.time(ClockSetting.timeSeen)
      let isPlausible = seen.map { now.isPlausible(after: elapsed, since: $0) } ?? false
      try database.setTime(ClockSetting.timeSeen, now)
      if !isPlausible { try database.setTime(ClockSetting.timeDoubted, now + BackupDay.length) }
      return try database.time(ClockSetting.timeDoubted).map { now >= $0 } ?? true
    }
  }

  package func discardCopies(expired: Bool, limit: Int, at now: Timestamp) async throws -> [ID<Server>] {
    try await write { database in
      let expired: [DiskCopy] =
        expired
        ? try database.all(
          """
          \(DiskCopy.query) WHERE disk_copy.expires_at <= ? AND \(Self.mayExpire)
          ORDER BY disk_copy.expires_at, disk_copy.id LIMIT ?
          """,
          [now, limit]) : []
      for copy in expired { try database.discard(copy, by: nil, at: now) }
      // Copies whose removal failed before are tried again.
      let left: [DiskCopy] = try database.all(
        """
        \(DiskCopy.query) WHERE disk_copy.erased_at IS NULL
          AND (disk_copy.deleted_at IS NOT NULL OR disk_copy.status = 'failed') AND server.deleted_at IS NULL
          AND NOT EXISTS (SELECT 1 FROM operation WHERE subject_id = disk_copy.id AND finished_at IS NULL
            AND kind IN ('backup', 'snapshot', 'restore', 'discard'))
        ORDER BY disk_copy.id LIMIT ?
        """,
        [limit])
      for copy in left { try database.queueDiscard(of: copy, by: nil, at: now) }
      return (expired + left).map(\.serverID)
    }
  }

  package func nextCopyExpiry() async throws -> Timestamp? {
    try await read { database in
      try database.value(
        Timestamp.self,
        """
        SELECT expires_at FROM disk_copy WHERE expires_at IS NOT NULL AND \(Self.mayExpire)
        ORDER BY expires_at LIMIT 1
        """)
    }
  }

  /// Which copies may expire: the newest complete backup of a server never does.
  private static let mayExpire = """
    disk_copy.deleted_at IS NULL AND (disk_copy.status <> 'completed' OR EXISTS (
      SELECT 1 FROM disk_copy AS newer
      WHERE newer.server_id = disk_copy.server_id AND newer.id > disk_copy.id AND newer.deleted_at IS NULL
        AND newer.status = 'completed' AND newer.kind IN ('manual', 'automatic')))
    """
}

/// The keys of settings that are times.
enum ClockSetting {
  static let day = "backup_day"
  static let timeSeen = "time_seen"
  static let timeDoubted = "time_doubted_until"
  /// The latest trusted time at which the billing meter has looked.
  static let billed = "billed_at"
}

extension SQLConnection {

  func time(_ key: String) throws -> Timestamp? {
    try value(String.self, "SELECT value FROM setting WHERE key = ?", [key])
      .flatMap { Int64($0) }.map(Timestamp.init(millisecondsSinceEpoch:))
  }

  func setTime(_ key: String, _ time: Timestamp) throws {
    try run(
      "INSERT INTO setting (key, value) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value",
      [key, String(time.millisecondsSinceEpoch)])
  }

  /// A day that lies far before the last one is new, too: the clock was ahead then, and is right now.
  fileprivate func isNew(_ day: BackupDay) throws -> Bool {
    guard let last = try time(ClockSetting.day) else { return true }
    return last < day.begin || last > day.begin + BackupDay.length
  }

  fileprivate func plan(_ day: BackupDay) throws {
    try run(
      """
      UPDATE server SET backup_due_at = ?
      WHERE is_backup_enabled = 1 AND has_disk = 1 AND awaits_new_disk = 0 AND deleted_at IS NULL
        AND status <> 'suspended' AND id NOT IN (SELECT server_id FROM rescue)
      """,
      [day.begin])
    try setTime(ClockSetting.day, day.begin)
  }

  /// Cancels planned backups of servers that have been deleted since, have no disk, want no backups any more or are in a rescue
  /// system.
  fileprivate func forgetPlansThatFell() throws {
    try run(
      """
      UPDATE server SET backup_due_at = NULL WHERE backup_due_at IS NOT NULL
        AND (is_backup_enabled = 0 OR has_disk = 0 OR deleted_at IS NOT NULL
          OR id IN (SELECT server_id FROM rescue))
      """)
  }

  /// A backup that is begun on a host that is away would be under way until the host is back.
  fileprivate func hostsThatAnswer() throws -> [ID<Host>] {
    try rows("SELECT id FROM host WHERE is_configured = 1 AND away_since IS NULL ORDER BY id") { row in try row.next() }
  }

  fileprivate func serversDue(on host: ID<Host>, atOnce limit: Int) throws -> [ID<Server>] {
    let underWay = try value(
      Int.self,
      """
      SELECT COUNT(*) FROM operation JOIN disk_copy ON disk_copy.id = operation.subject_id
      WHERE operation.host_id = ? AND operation.finished_at IS NULL AND operation.kind = 'backup'
        AND disk_copy.kind = 'automatic'
      """,
      [host])
    return try rows(
      """
      SELECT id FROM server WHERE host_id = ? AND backup_due_at IS NOT NULL ORDER BY backup_due_at, id LIMIT ?
      """,
      [host, max(0, limit - (underWay ?? 0))]
    ) { row in try row.next() }
  }

  fileprivate func beginBackup(of server: ID<Server>, at now: Timestamp) throws {
    try run("UPDATE server SET backup_due_at = NULL WHERE id = ?", [server])
    let copy = try value(
      ID<DiskCopy>.self,
      """
      INSERT INTO disk_copy (uuid, server_id, kind, description, status, created_at, expires_at)
      VALUES (?, ?, 'automatic', 'Automatic daily backup', 'pending', ?, ?) RETURNING id
      """,
      [UUID.random().text, server, now, now + BackupDay.lifetime]
    ).orFail("the backup was not written")
    try queue(.backup, about: copy.value, on: server, by: nil, at: now)
  }
}

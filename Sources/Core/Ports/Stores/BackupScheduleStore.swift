/// The daily backups and the removal of copies, for the engine that begins both.
package protocol BackupScheduleStore: Sendable {
  /// On the first call of a day, schedules a backup of every server that has backups enabled and a disk. Then begins
  /// scheduled backups on each host that answers, while fewer than `limit` automatic backups are under way there.
  func beginDueBackups(of day: BackupDay, atOnce limit: Int, at now: Timestamp) async throws -> BackupProgress

  /// Records the time of day, and returns whether it can be trusted. It cannot for one day after a jump of more than an
  /// hour was found; at the first call of a process, a last record more than an hour old counts as a jump, too.
  ///
  /// - Parameter elapsed: The time since the last call of this process; zero for its first.
  func trusts(_ now: Timestamp, after elapsed: Duration) async throws -> Bool

  /// Hides copies that have expired, if that is wanted, but never the newest complete backup of a server. Queues a
  /// `discard` of those, and of all copies that an earlier discard has left behind; at most `limit` of each. Returns
  /// their servers.
  func discardCopies(expired: Bool, limit: Int, at now: Timestamp) async throws -> [ID<Server>]
  func nextCopyExpiry() async throws -> Timestamp?
}

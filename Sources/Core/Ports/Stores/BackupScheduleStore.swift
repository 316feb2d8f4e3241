/// The daily backups, and the end of copies, for the engine that begins both.
package protocol BackupScheduleStore: Sendable {
  /// Where nobody has seen this day yet, every server that is to have backups and has a disk gets its turn. Then begins
  /// backups whose turn it is, on each host that answers as long as fewer than `limit` automatic ones are under way there.
  func beginDueBackups(of day: BackupDay, atOnce limit: Int, at now: Timestamp) async throws -> BackupProgress

  /// Notes the time of day, and says whether it can be believed: not for a day after it was found to be set by more than an
  /// hour, or was looked at for the last time so long ago.
  ///
  /// - Parameter elapsed: What has passed since the last note of this process; zero for its first.
  func trusts(_ now: Timestamp, after elapsed: Duration) async throws -> Bool

  /// Hides the copies that have expired, where that is wanted, but never the newest backup of a server that is whole, and
  /// queues the `discard` of those and of all that were left behind; of each so many at most. Returns their servers.
  func discardCopies(expired: Bool, limit: Int, at now: Timestamp) async throws -> [ID<Server>]
  func nextCopyExpiry() async throws -> Timestamp?
}

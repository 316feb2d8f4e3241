import Core

import struct Foundation.UUID

extension NoticeRecord: RowReadable {
  static let columns = """
    notice.id, notice.uuid, notice.account_id, account.email, account.language, notice.attempts, notice.finished_at, \
    notice.is_given_up, notice.failure, notice.kind, notice.at, notice.hours_left, notice.balance, notice.hourly_cost, \
    notice.cause, notice.remaining_cause, notice.reason, notice.deletion_at, notice.entries, notice.entry_count
    """

  static let query = "SELECT \(columns) FROM notice JOIN account ON account.id = notice.account_id"

  init(from row: inout RowReader) throws {
    let (id, uuid, account) = (try row.next(ID<Notice>.self), try row.next(UUID.self), try row.next(ID<Account>.self))
    let (email, language) = (try row.next(String.self), try row.next(Language.self))
    let attempts = try row.next(Int.self)
    let finishedAt = try row.next(Timestamp?.self)
    let (isGivenUp, failure) = (try row.next(Bool.self), try row.next(String?.self))
    let (kind, at) = (try row.next(Notice.Kind.self), try row.next(Timestamp.self))
    var facts = Notice.Facts()
    facts.hoursLeft = try row.next()
    facts.balance = try row.next()
    facts.hourlyCost = try row.next()
    facts.cause = try row.next()
    facts.remainingCause = try row.next()
    facts.reason = try row.next()
    facts.deletionAt = try row.next()
    facts.entries = try row.next(String.self).split(separator: "\n").map { String($0) }
    facts.entryCount = try row.next()
    self.init(
      id: id, uuid: uuid, notice: Notice(kind, at: at, facts), account: account, email: email, language: language,
      attempts: attempts, finishedAt: finishedAt, isGivenUp: isGivenUp, failure: failure)
  }
}

extension Language: ColumnValue {}
extension Notice.Kind: ColumnValue {}
extension SuspensionCause: ColumnValue {}

enum NoticeSetting {
  /// The setting exists while notices are to be written.
  static let key = "notices"
}

extension SQLConnection {
  func areNoticesWritten() throws -> Bool {
    try value(String.self, "SELECT value FROM setting WHERE key = ?", [NoticeSetting.key]) != nil
  }

  /// Writes a notice, if notices are delivered at all. To be called in the transaction that changes what it tells of.
  func tell(_ kind: Notice.Kind, of account: ID<Account>, _ facts: Notice.Facts = Notice.Facts(), at now: Timestamp)
    throws
  {
    guard try areNoticesWritten() else { return }
    let due = try kind.gathering.map { try gatheredUntil(kind, of: account, now + $0, at: now) } ?? now
    try run(
      """
      INSERT INTO notice (uuid, account_id, kind, at, hours_left, balance, hourly_cost, cause, remaining_cause, reason,
        deletion_at, entries, entry_count, due_at, not_before, scheduled_at)
      VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
      """,
      [
        UUID.random(), account, kind, now, facts.hoursLeft, facts.balance, facts.hourlyCost, facts.cause,
        facts.remainingCause, facts.reason, facts.deletionAt, facts.entries.joined(separator: "\n"), facts.entryCount,
        due, due, now,
      ])
  }

  /// Adds an entry to the account's notice of this kind that was not tried yet, or writes a new one. So an account gets one
  /// such notice an hour at most, with as many entries as it has room for.
  ///
  /// - Parameters:
  ///   - name: What identifies the entry: if the notice has it already, it is not added again.
  ///   - detail: What to say of it; nil for nothing.
  func tell(
    _ kind: Notice.Kind, of account: ID<Account>, about name: String, _ detail: String?, at now: Timestamp
  ) throws {
    guard try areNoticesWritten() else { return }
    let text = detail.map { "\(name): \($0)" } ?? name
    let entry = text.escaped(atMost: Notice.Facts.longestEntry)
    let waiting = try rows(
      """
      SELECT id, entries, entry_count FROM notice
      WHERE account_id = ? AND kind = ? AND attempts = 0 AND finished_at IS NULL ORDER BY id DESC LIMIT 1
      """,
      [account, kind]
    ) { row in (try row.next(ID<Notice>.self), try row.next(String.self), try row.next(Int.self)) }.first
    guard let (id, written, count) = waiting else {
      var facts = Notice.Facts()
      facts.entries = [entry]
      facts.entryCount = 1
      return try tell(kind, of: account, facts, at: now)
    }
    let entries = written.split(separator: "\n")
    guard !entries.contains(where: { $0 == name || $0.hasPrefix(name + ":") }) else { return }
    let isNamed = entries.count < Notice.Facts.mostEntries
    try run(
      "UPDATE notice SET entries = ?, entry_count = ? WHERE id = ?",
      [isNamed ? written + "\n" + entry : written, count + 1, id])
  }

  func tellServer(_ id: ID<Server>, _ kind: Notice.Kind, _ detail: String?, at now: Timestamp) throws {
    guard try areNoticesWritten(), let (account, name) = try ownerAndName(of: id) else { return }
    try tell(kind, of: account, about: name, detail, at: now)
  }

  /// Tells of a failed backup. A snapshot needs no notice: the customer who asked for it sees its outcome.
  func tellOfFailure(of copy: ID<DiskCopy>, _ reason: String?, at now: Timestamp) throws {
    guard try areNoticesWritten() else { return }
    let server = try value(
      ID<Server>.self,
      "SELECT server_id FROM disk_copy WHERE id = ? AND kind <> 'snapshot' AND deleted_at IS NULL", [copy])
    if let server { try tellServer(server, .backupsFailed, reason, at: now) }
  }

  private func ownerAndName(of id: ID<Server>) throws -> (ID<Account>, String)? {
    try rows("SELECT account_id, name FROM server WHERE id = ? AND deleted_at IS NULL", [id]) { row in
      (try row.next(ID<Account>.self), "\(try row.next(String.self)) (\(id))")
    }.first
  }

  /// When a notice is due: at `earliest`, or an hour after the last one of its kind where that is later.
  private func gatheredUntil(
    _ kind: Notice.Kind, of account: ID<Account>, _ earliest: Timestamp, at now: Timestamp
  ) throws -> Timestamp {
    let before = try value(
      Timestamp.self, "SELECT due_at FROM notice WHERE account_id = ? AND kind = ? ORDER BY id DESC LIMIT 1",
      [account, kind])
    guard let before else { return earliest }
    // If the clock was ahead at the last notice, that must not delay this one.
    return max(earliest, min(before, earliest) + Notice.Kind.shortestInterval)
  }
}

/// Notices to the owners of accounts. A notice is written in the same transaction as the fact that it reports, as long
/// as there is a receiver to deliver it.
package protocol NoticeStore: Sendable {
  /// Sets whether notices are written from now on, also by commands in other processes. Turning them off deletes those
  /// that wait: nobody should get last month's notices when they are turned on again.
  func setNotices(areWritten: Bool) async throws

  /// Checks at most `limit` accounts, those after this one, and writes notices about credit that lasts for a few hours
  /// only, and about a deletion that is near. A second check adds nothing. Returns the last account; nil if there are
  /// no more.
  func tellOfAccounts(after account: ID<Account>?, limit: Int, at now: Timestamp) async throws -> ID<Account>?

  /// Makes claimed notices due again, because the process that claimed them is dead.
  func releaseNotices() async throws
  /// Claims at most `limit` notices that are due, one per account, the longest waiting first; none of an account that
  /// has a claimed one.
  func claimNotices(limit: Int, at now: Timestamp) async throws -> [NoticeRecord]
  /// Records the result of an attempt, if the notice is still claimed for it.
  func finish(_ claimed: NoticeRecord, _ outcome: NoticeOutcome, at now: Timestamp) async throws
  /// Deletes at most `limit` notices that were finished before this time. Returns how many.
  func forgetNotices(finishedBefore time: Timestamp, limit: Int) async throws -> Int

  /// The notices before this one, newest first, for the operator.
  /// - Parameter state: Only those in this state; nil for all.
  func notices(_ state: NoticeState?, before id: ID<Notice>?, limit: Int) async throws -> [NoticeRecord]
}

package enum NoticeState: String, Sendable, CaseIterable {
  case waiting, delivered
  case givenUp = "given-up"
}

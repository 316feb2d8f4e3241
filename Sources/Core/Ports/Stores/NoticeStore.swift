/// What is to be told to the owners of accounts. A notice is written with the fact that it tells, in one transaction, as long as
/// there is anybody to deliver it.
package protocol NoticeStore: Sendable {
  /// Says whether notices are written from now on, by the commands of other processes too. Where they are not, those that wait
  /// are forgotten: nobody is told of last month when they are turned on again.
  func setNotices(areWritten: Bool) async throws

  /// Writes what is to be told of so many accounts at most, those after this one: credit that lasts for a few hours, a deletion that
  /// comes nearer. A second look adds nothing. Returns the last account; nil where there are no more.
  func tellOfAccounts(after account: ID<Account>?, limit: Int, at now: Timestamp) async throws -> ID<Account>?

  /// Whoever had claimed notices is dead: they are due again.
  func releaseNotices() async throws
  /// Claims so many at most that are due, one of each account, those first that have waited longest; none of an account of which
  /// one is claimed.
  func claimNotices(limit: Int, at now: Timestamp) async throws -> [NoticeRecord]
  /// Writes down what came of a try, if it is still claimed for that.
  func finish(_ claimed: NoticeRecord, _ outcome: NoticeOutcome, at now: Timestamp) async throws
  /// Forgets those that were finished before this moment, so many at most. Returns how many.
  func forgetNotices(finishedBefore time: Timestamp, limit: Int) async throws -> Int

  /// The newest first, those before this one, for the operator.
  /// - Parameter state: Those that are in it only; nil for all.
  func notices(_ state: NoticeState?, before id: ID<Notice>?, limit: Int) async throws -> [NoticeRecord]
}

package enum NoticeState: String, Sendable, CaseIterable {
  case waiting, delivered
  case givenUp = "given-up"
}

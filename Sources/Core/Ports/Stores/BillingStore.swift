/// Hours that are to be paid for, and what becomes of those who do not pay, for the engine that looks again and again. What is
/// due is in the store: whoever looks late, or twice, charges the same.
package protocol BillingStore: Sendable {
  /// Notes the time, and says whether it can be believed. The first look of all finds what was there before anybody charged
  /// hours: the hour that runs then is free.
  ///
  /// - Parameter elapsed: What has passed since the last look of this process; zero for its first.
  func judgeBillingClock(at now: Timestamp, after elapsed: Duration) async throws -> BillingClock

  /// Charges so many hours at most that have begun by then, one of each server, in the order in which they began. An account
  /// that cannot pay one is out of credit from now on; one that only waits for what it holds is left for the next look.
  ///
  /// - Parameter last: The last hour of the batch before.
  func chargeHours(
    begunBy time: Timestamp, after last: HourReference?, limit: Int, at now: Timestamp
  ) async throws -> BillingProgress

  /// Charges what servers have sent or received beyond their plans this month, a GB each, so many at most. Returns how many.
  func chargeTraffic(limit: Int, at now: Timestamp) async throws -> Int

  /// Holds back servers that had more traffic this month than their plans include, and lets go those whose month is over, or
  /// that may have more now. Returns those of whom that is new.
  func throttleTraffic(at now: Timestamp) async throws -> [ID<Server>]

  /// Accounts that can pay again are out of credit no more. Returns them.
  func liftCreditSuspensions(at now: Timestamp) async throws -> [ID<Account>]

  /// Takes down servers that are to be suspended and brings back those that are not any more, so many at most of each. Those
  /// that are on their way to something else wait until they are there. Returns them.
  func applySuspensions(limit: Int, at now: Timestamp) async throws -> [ID<Server>]

  /// Deletes servers of accounts that were out of credit for too long, so many at most. Returns them.
  func deleteUnpaidServers(limit: Int, at now: Timestamp) async throws -> [ID<Server>]
}

/// An hour in the order in which hours begin.
package struct HourReference: Sendable, Equatable {
  package let beganAt: Timestamp
  package let server: ID<Server>

  package init(beganAt: Timestamp, server: ID<Server>) {
    self.beganAt = beganAt
    self.server = server
  }
}

package struct BillingProgress: Sendable, Equatable {
  /// The last hour that was looked at; nil where none is due.
  package let last: HourReference?
  package let hoursCharged: Int
  /// The accounts that have run out of credit.
  package let outOfCredit: [ID<Account>]

  package init(last: HourReference?, hoursCharged: Int, outOfCredit: [ID<Account>]) {
    self.last = last
    self.hoursCharged = hoursCharged
    self.outOfCredit = outOfCredit
  }
}

/// Charges for hours and traffic, and what happens to accounts that do not pay, for the engine that calls this
/// periodically. What is due is stored, so that a late or repeated call charges the same.
package protocol BillingStore: Sendable {
  /// Records the time, and returns whether it can be trusted. The first call of all finds servers from before hours
  /// were charged: their current hour is free.
  ///
  /// - Parameter elapsed: The time since the last call of this process; zero for its first.
  func judgeBillingClock(at now: Timestamp, after elapsed: Duration) async throws -> BillingClock

  /// Charges at most `limit` hours that have begun by this time, one per server, in the order in which they began. An
  /// account that cannot pay an hour is out of credit from now on; one that only waits for a hold to be released is
  /// left for the next call.
  ///
  /// - Parameter last: The last hour of the batch before.
  func chargeHours(
    begunBy time: Timestamp, after last: HourReference?, limit: Int, at now: Timestamp
  ) async throws -> BillingProgress

  /// Charges the traffic of this month beyond the servers' plans, one entry per GB, at most `limit` entries. Returns
  /// how many.
  func chargeTraffic(limit: Int, at now: Timestamp) async throws -> Int

  /// Throttles servers that had more traffic this month than their plans include, and ends that of servers whose month
  /// is over, or whose plan allows more now. Returns the servers for which something changed.
  func throttleTraffic(at now: Timestamp) async throws -> [ID<Server>]

  /// Ends the credit suspension of accounts that can pay again. Returns them.
  func liftCreditSuspensions(at now: Timestamp) async throws -> [ID<Account>]

  /// Stops servers that are to be suspended, and brings back those that are not any more, at most `limit` of each.
  /// Servers with an operation under way have to wait for its end. Returns the servers.
  func applySuspensions(limit: Int, at now: Timestamp) async throws -> [ID<Server>]

  /// Deletes servers of accounts that were out of credit for too long, at most `limit`. Returns them.
  func deleteUnpaidServers(limit: Int, at now: Timestamp) async throws -> [ID<Server>]
}

/// A position in the order in which hours begin.
package struct HourReference: Sendable, Equatable {
  package let beganAt: Timestamp
  package let server: ID<Server>

  package init(beganAt: Timestamp, server: ID<Server>) {
    self.beganAt = beganAt
    self.server = server
  }
}

package struct BillingProgress: Sendable, Equatable {
  /// The last hour that was processed; nil if none was due.
  package let last: HourReference?
  package let hoursCharged: Int
  /// The accounts that ran out of credit with these hours.
  package let outOfCredit: [ID<Account>]

  package init(last: HourReference?, hoursCharged: Int, outOfCredit: [ID<Account>]) {
    self.last = last
    self.hoursCharged = hoursCharged
    self.outOfCredit = outOfCredit
  }
}

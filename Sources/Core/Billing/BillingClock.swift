/// Whether the time of day can be trusted for billing.
package enum BillingClock: Sendable, Equatable {
  /// The largest difference to the time last seen that is believed, beyond the time known to have passed: a day, plus
  /// two hours for time zones and daylight saving.
  package static let largestJump = Duration.seconds(26 * 3600)

  /// Hours that have begun are charged. After the clock was set back, none begins until it has caught up.
  case trusted
  /// The clock has jumped, or the service was down for too long to tell. Nothing is charged until the operator confirms
  /// the time, or corrects the clock.
  case doubted(lastSeen: Timestamp)

  /// - Parameter elapsed: The part of the time since `lastSeen` that this process has measured.
  package init(at now: Timestamp, lastSeen: Timestamp, elapsed: Duration) {
    let isPlausible = now - lastSeen <= Self.largestJump + elapsed && lastSeen - now <= Self.largestJump
    self = isPlausible ? .trusted : .doubted(lastSeen: lastSeen)
  }
}

/// Whether the time of day can be believed where money depends on it.
package enum BillingClock: Sendable, Equatable {
  /// The clock may be off by no more than this, beyond the time that has passed, from when it was looked at for the last time: a
  /// day, and what is lost by zones and summer time.
  package static let largestJump = Duration.seconds(26 * 3600)

  /// Hours that have begun are charged. After a clock was set back there are none for a while.
  case trusted
  /// It has jumped, or the service was down for so long that nobody can tell: nothing is charged until the operator says that
  /// it is right, or sets it right.
  case doubted(lastSeen: Timestamp)

  /// - Parameter elapsed: What has passed since, as far as this process knows.
  package init(at now: Timestamp, lastSeen: Timestamp, elapsed: Duration) {
    let isPlausible = now - lastSeen <= Self.largestJump + elapsed && lastSeen - now <= Self.largestJump
    self = isPlausible ? .trusted : .doubted(lastSeen: lastSeen)
  }
}

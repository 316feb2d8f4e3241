package import Core
import Synchronization

/// A token bucket for each key: it allows a number of requests per minute, in a burst or evenly spread. Only the time
/// when the bucket will be full again is stored for a key. A full bucket is the same as none, and may be forgotten.
package final class RateLimit<Key: Hashable & Sendable>: Sendable {
  private static var minuteMicroseconds: Int64 { 60_000_000 }

  private let perMinute: Int
  private let maximumKeys: Int
  private let clock: any WallClock
  private let fullAtMicroseconds = Mutex<[Key: Int64]>([:])

  /// Nil if there is no limit.
  package init?(perMinute: Int, maximumKeys: Int = 10_000, clock: any WallClock) {
    guard perMinute > 0 else { return nil }
    self.perMinute = perMinute
    self.maximumKeys = maximumKeys
    self.clock = clock
  }

  var keyCount: Int { fullAtMicroseconds.withLock { $0.count } }

  package func take(_ key: Key) -> Allowance {
    let now = clock.uptime.elapsed.milliseconds * 1000
    let horizon = now + Self.minuteMicroseconds
    let interval = max(1, Self.minuteMicroseconds / Int64(perMinute))
    return fullAtMicroseconds.withLock { fullAt in
      let before = max(fullAt[key] ?? now, now)
      guard before + interval <= horizon else {
        fullAt[key] = before
        return allowance(
          remaining: 0, fullAt: before, now: now, retryAfterSeconds: Self.seconds(before + interval - horizon))
      }
      if fullAt[key] == nil, fullAt.count >= maximumKeys { Self.forgetSome(of: &fullAt, maximumKeys, now) }
      let after = before + interval
      fullAt[key] = after
      return allowance(
        remaining: Int((horizon - after) / interval), fullAt: after, now: now, retryAfterSeconds: nil)
    }
  }

  private func allowance(remaining: Int, fullAt: Int64, now: Int64, retryAfterSeconds: Int?) -> Allowance {
    let today = clock.now.millisecondsSinceEpoch * 1000
    return Allowance(
      limit: perMinute, remaining: remaining, resetSeconds: Self.seconds(today + fullAt - now),
      retryAfterSeconds: retryAfterSeconds)
  }

  /// Forgets full buckets first, then those that are fullest.
  private static func forgetSome(of fullAt: inout [Key: Int64], _ maximum: Int, _ now: Int64) {
    fullAt = fullAt.filter { $0.value > now }
    guard fullAt.count >= maximum else { return }
    let kept = fullAt.sorted { $0.value > $1.value }.prefix(maximum / 2)
    fullAt = Dictionary(uniqueKeysWithValues: kept.map { ($0.key, $0.value) })
  }

  private static func seconds(_ microseconds: Int64) -> Int { Int((microseconds + 999_999) / 1_000_000) }
}

/// How many requests a caller has left, or how long it has to wait for the next one.
package struct Allowance: Sendable, Equatable {
  let limit: Int
  let remaining: Int
  /// When the bucket is full again, in seconds since 1970.
  let resetSeconds: Int
  /// Nil if the request is allowed.
  let retryAfterSeconds: Int?

  package func throwIfRefused() throws(Rejection) {
    if let retryAfterSeconds { throw .throttled(seconds: retryAfterSeconds) }
  }
}

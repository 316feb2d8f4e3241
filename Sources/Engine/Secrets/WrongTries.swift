import Core
import Synchronization

/// How often somebody was wrong about a secret of an account, whatever address they came from: a few times an hour, and then
/// nobody is asked any more.
final class WrongTries: Sendable {
  private static let most = 20
  private static let span = Duration.seconds(3600)
  private static let mostAccounts = 10_000

  private let times = Mutex<[String: [Instant]]>([:])

  /// Throws where it was too often.
  func requireFew(_ key: String, at now: Instant) throws(Failure) {
    let count = times.withLock { times in (times[key] ?? []).count { now - $0 < Self.span } }
    guard count < Self.most else {
      throw Failure(
        .conflict, "Too many wrong tries. Try again in an hour, or ask the operator for a link.")
    }
  }

  func note(_ key: String, at now: Instant) {
    times.withLock { times in
      if times[key] == nil, times.count >= Self.mostAccounts {
        times = times.filter { $0.value.contains { now - $0 < Self.span } }
        // Whoever fills this up is bounded elsewhere: what is forgotten is somebody who was wrong once.
        if times.count >= Self.mostAccounts { times = times.filter { $0.value.count > 1 } }
      }
      times[key] = (times[key] ?? []).filter { now - $0 < Self.span } + [now]
    }
  }
}

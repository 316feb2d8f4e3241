import Core
import Synchronization

/// Limits how many names of one account are looked up at once. A lookup may end at a slow DNS server of the customer's own, and
/// other accounts must not wait for that.
final class LookupTurns: Sendable {
  private static let mostOfAccount = 4

  private let underWay = Mutex<[ID<Account>: Int]>([:])

  /// Throws `unavailable` where the limit is reached.
  func take<Value: Sendable>(_ account: ID<Account>, _ body: () async throws -> Value) async throws -> Value {
    try underWay.withLock { counts in
      guard counts[account, default: 0] < Self.mostOfAccount else {
        throw Failure(.unavailable(retryAfterSeconds: 10), "\(Self.mostOfAccount) names are looked up already.")
      }
      counts[account, default: 0] += 1
    }
    defer {
      underWay.withLock { counts in
        let left = counts[account, default: 1] - 1
        counts[account] = left > 0 ? left : nil
      }
    }
    return try await body()
  }
}

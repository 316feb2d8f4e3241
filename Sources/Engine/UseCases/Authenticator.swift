package import Core
import Synchronization

/// Tells who bears a token. A token's row is kept for a second, so that a busy client costs one read a second and a revoked
/// token is refused within one.
package final class Authenticator: Sendable {
  private static let cacheLifetime = Duration.seconds(1)
  private static let maximumCached = 10_000

  private struct Cached {
    let token: Token
    let readAt: Timestamp
  }

  private let store: any Store
  private let clock: any WallClock
  private let cache = Mutex<[TokenHash: Cached]>([:])
  private let unrecordedUses = Mutex<[ID<Token>: Timestamp]>([:])

  package init(store: any Store, clock: any WallClock) {
    self.store = store
    self.clock = clock
  }

  /// Throws `credentialsInvalid` for a token that is unknown, revoked or expired.
  package func caller(bearing text: some StringProtocol) async throws -> Caller {
    guard let hash = TokenText(text)?.hash, let token = try await token(hash), token.isValid(at: clock.now) else {
      throw Failure.tokenInvalid
    }
    unrecordedUses.withLock { $0[token.id] = clock.now }
    return Caller(token)
  }

  /// Writes down when tokens were last used: now and then, because no request should wait for it.
  package func recordUses() async throws {
    let uses = unrecordedUses.withLock { uses in
      defer { uses = [:] }
      return uses
    }
    if !uses.isEmpty { try await store.recordTokenUse(uses) }
  }

  private func token(_ hash: TokenHash) async throws -> Token? {
    let now = clock.now
    if let cached = cache.withLock({ $0[hash] }), now - cached.readAt < Self.cacheLifetime, now >= cached.readAt {
      return cached.token
    }
    guard let token = try await store.token(hash: hash) else { return nil }
    cache.withLock { cache in
      if cache.count >= Self.maximumCached { cache = [:] }
      cache[hash] = Cached(token: token, readAt: now)
    }
    return token
  }
}

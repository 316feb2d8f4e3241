package import Core
import Synchronization

/// Finds the caller that a token belongs to. Tokens are cached for a second, so that a busy client costs one read a second and
/// a revoked token is refused within one.
package final class Authenticator: Sendable {
  private static let cacheLifetime = Duration.seconds(1)
  private static let maximumCached = 10_000
  private static let recordingInterval = Duration.seconds(5)

  private struct Cached {
    let token: Token
    let readAt: Instant
  }

  private let store: any AccountStore
  private let clock: any WallClock
  private let cache = Mutex((tokens: [TokenHash: Cached](), revocations: 0))
  private let unrecordedUses = Mutex<[ID<Token>: Timestamp]>([:])

  package init(store: any AccountStore, clock: any WallClock) {
    self.store = store
    self.clock = clock
  }

  /// Throws `credentialsInvalid` for a token that is unknown, revoked or expired.
  package func caller(bearing text: some StringProtocol) async throws -> Caller {
    guard let hash = TokenText(text)?.hash, let token = try await used(hash), !token.isSession else {
      throw Failure.tokenInvalid
    }
    return Caller(token)
  }

  /// The same at once, without reading the store: nil unless the token was read within the last second and is valid.
  package func knownCaller(bearing hash: TokenHash) -> Caller? {
    let cached = cache.withLock { $0.tokens[hash] }
    guard let cached, clock.uptime - cached.readAt < Self.cacheLifetime else { return nil }
    let (token, now) = (cached.token, clock.now)
    guard token.isValid(at: now), !token.isSession else { return nil }
    unrecordedUses.withLock { $0[token.id] = now }
    return Caller(token)
  }

  /// The same for the session of a person.
  package func caller(in session: SessionText) async throws -> Caller {
    guard let token = try await used(session.hash), token.isSession else { throw Failure.tokenInvalid }
    return Caller(token)
  }

  /// Nil where it is not valid.
  private func used(_ hash: TokenHash) async throws -> Token? {
    guard let token = try await token(hash), token.isValid(at: clock.now) else { return nil }
    unrecordedUses.withLock { $0[token.id] = clock.now }
    return token
  }

  /// Removes tokens from the cache that were just revoked, so that no later request is let in by it.
  func forget(_ ids: [ID<Token>]) {
    let ids = Set(ids)
    cache.withLock { cache in
      cache.revocations += 1
      cache.tokens = cache.tokens.filter { !ids.contains($0.value.token.id) }
    }
  }

  /// Records uses periodically until cancellation, and then those that are left.
  package func run() async {
    while !Task.isCancelled {
      try? await clock.sleep(for: Self.recordingInterval)
      try? await recordUses()
    }
  }

  /// Records when tokens were last used. This is done now and then, so that no request waits for it.
  package func recordUses() async throws {
    let uses = unrecordedUses.withLock { uses in
      defer { uses = [:] }
      return uses
    }
    if uses.isEmpty { return }
    do {
      try await store.recordTokenUse(uses)
    } catch {
      unrecordedUses.withLock { $0.merge(uses) { max($0, $1) } }
      throw error
    }
  }

  private func token(_ hash: TokenHash) async throws -> Token? {
    let now = clock.uptime
    let (cached, revocations) = cache.withLock { ($0.tokens[hash], $0.revocations) }
    if let cached, now - cached.readAt < Self.cacheLifetime { return cached.token }
    guard let token = try await store.token(hash: hash) else { return nil }
    cache.withLock { cache in
      // A token that was read before a revocation may be the revoked one.
      guard cache.revocations == revocations else { return }
      if cache.tokens.count >= Self.maximumCached { cache.tokens = [:] }
      cache.tokens[hash] = Cached(token: token, readAt: now)
    }
    return token
  }
}

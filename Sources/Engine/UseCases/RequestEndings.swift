import Core
import Synchronization

/// Outcomes of requests with a key that could not be stored. They are stored once the database answers again. Until then, or
/// until the claim expires, a client that repeats such a request hears that it is still being carried out.
final class RequestEndings: Sendable {
  private static let pause = Duration.seconds(1)
  /// Beyond this number outcomes are dropped, and their claims expire.
  private static let maximumCount = 1000

  private struct Ending: Sendable {
    let until: Instant
    let tell: @Sendable () async throws -> Void
  }

  private let clock: any WallClock
  private let state = Mutex((waiting: [Ending](), isTelling: false))

  init(clock: any WallClock) {
    self.clock = clock
  }

  /// Calls `tell`. If that throws `StoreUnavailable`, it is rethrown and `tell` is repeated later, for as long as the lease
  /// lasts.
  func tell(for lease: Duration, _ tell: @escaping @Sendable () async throws -> Void) async throws {
    do {
      try await tell()
    } catch let error as StoreUnavailable {
      add(for: lease, tell)
      throw error
    }
  }

  func add(for lease: Duration, _ tell: @escaping @Sendable () async throws -> Void) {
    let ending = Ending(until: clock.uptime + lease, tell: tell)
    let mustBegin = state.withLock { state in
      guard state.waiting.count < Self.maximumCount else { return false }
      state.waiting.append(ending)
      defer { state.isTelling = true }
      return !state.isTelling
    }
    if mustBegin { Task { await tellAll() } }
  }

  private func tellAll() async {
    repeat {
      try? await clock.sleep(for: Self.pause)
      while let ending = state.withLock({ $0.waiting.first }), await isOver(ending) {
        state.withLock { _ = $0.waiting.removeFirst() }
      }
    } while !isDone()
  }

  private func isOver(_ ending: Ending) async -> Bool {
    guard clock.uptime < ending.until else { return true }
    do {
      try await ending.tell()
    } catch {
      return !(error is StoreUnavailable)
    }
    return true
  }

  private func isDone() -> Bool {
    state.withLock { state in
      if state.waiting.isEmpty { state.isTelling = false }
      return state.waiting.isEmpty
    }
  }
}

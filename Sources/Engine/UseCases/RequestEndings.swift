import Core
import Synchronization

/// What became of requests with a key, which the database could not be told: it is told once it is there again. Until then whoever
/// repeats one hears that it is still being carried out, and no longer than its claim lasts.
final class RequestEndings: Sendable {
  private static let pause = Duration.seconds(1)
  /// The claims of others run out.
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

  /// Tells it now, or later where it throws `StoreUnavailable`.
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

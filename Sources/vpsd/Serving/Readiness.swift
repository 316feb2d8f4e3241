import Core
import ServiceLifecycle
import Synchronization

/// Whether requests should be sent to this service.
final class Readiness: Service {
  private let seconds: Int
  private let clock: any WallClock
  private let isDraining = Mutex(false)

  init(drainSeconds: Int, clock: any WallClock) {
    seconds = drainSeconds
    self.clock = clock
  }

  var isOver: Bool { isDraining.withLock { $0 } }

  /// Whoever sends requests has some time to hear that this service is to end, before it does.
  func run() async throws {
    try await gracefulShutdown()
    isDraining.withLock { $0 = true }
    try? await clock.sleep(for: .seconds(seconds))
  }
}

/// What is not begun before something else is so far.
struct Later<Begun: Service>: Service {
  let service: Begun
  let when: @Sendable () async -> Void

  func run() async throws {
    await when()
    try await service.run()
  }
}

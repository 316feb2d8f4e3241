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

  /// Gives load balancers some time to notice that this service is about to end.
  func run() async throws {
    try await gracefulShutdown()
    isDraining.withLock { $0 = true }
    try? await clock.sleep(for: .seconds(seconds))
  }
}

/// A service that is started only after `when` has returned.
struct Later<Begun: Service>: Service {
  let service: Begun
  let when: @Sendable () async -> Void

  func run() async throws {
    await when()
    try await service.run()
  }
}

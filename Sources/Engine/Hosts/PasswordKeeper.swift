package import Core
package import Logging

/// Sets the passwords in guests of one host that other services were asked for. Those services wait for the outcome, and ask
/// again for what has none when this process dies.
package final class PasswordKeeper: Sendable {
  private static let limit = 16
  /// How often the store is read where nothing was announced.
  private static let interval = Duration.seconds(5)

  private let host: FleetHost
  private let store: any PasswordResetStore
  private let clock: any WallClock
  private let logger: Logger

  package init(of host: FleetHost, store: any PasswordResetStore, clock: any WallClock, logger: Logger) {
    var logger = logger
    logger[metadataKey: "host"] = "\(host.name)"
    self.host = host
    self.store = store
    self.clock = clock
    self.logger = logger
  }

  /// Runs until cancellation.
  package func run() async {
    while !Task.isCancelled {
      await pollOnce()
      await host.passwordBell.wait(until: clock.uptime + Self.interval, clock: clock)
    }
  }

  /// Carries out all resets that are due now. A guest that does not answer delays those of others by no more than the driver's
  /// own limit for one call.
  package func pollOnce() async {
    do {
      while !Task.isCancelled {
        let resets = try await store.passwordResets(on: host.id, limit: Self.limit, at: clock.now)
        guard !resets.isEmpty else { return }
        try await withThrowingDiscardingTaskGroup { group in
          for reset in resets { group.addTask { try await self.carryOut(reset) } }
        }
      }
    } catch {
      if !Task.isCancelled {
        logger.error("passwords could not be set", metadata: ["error": "\(String(reflecting: error))"])
      }
    }
  }

  private func carryOut(_ reset: PasswordReset) async throws {
    do {
      guard !host.isAway else { throw DriverError(.unreachable, "the host is away") }
      try await host.driver.setPassword(hash: reset.hash, of: reset.account, in: reset.machine)
      try await store.record(.done, of: reset)
    } catch let error as DriverError {
      logger.warning(
        "a password was not set", metadata: ["server": "\(reset.serverID)", "reason": "\(error.detail)"])
      try await store.record(.failed(error.kind, customerReason: error.customerReason), of: reset)
    }
  }
}

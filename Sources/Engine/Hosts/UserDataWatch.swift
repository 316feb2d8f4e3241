package import Core
package import Logging
import Synchronization

/// Asks the guests of one host what came of their user data, a few at a time and in turn: a guest that does not answer takes its
/// time, and delays nobody but others that are asked the same.
package final class UserDataWatch: Sendable {
  private static let atOnce = 4
  private static let interval = Duration.seconds(5)
  /// Where nobody is to be asked.
  private static let idle = Duration.seconds(15)

  private let host: FleetHost
  private let store: any UserDataStore
  private let changes: Broadcast
  private let clock: any WallClock
  private let logger: Logger
  private let last = Mutex<ID<Server>?>(nil)

  package init(
    of host: FleetHost, store: any UserDataStore, changes: Broadcast, clock: any WallClock, logger: Logger
  ) {
    self.host = host
    self.store = store
    self.changes = changes
    self.clock = clock
    self.logger = logger
  }

  /// Runs until cancellation.
  package func run() async {
    while !Task.isCancelled {
      let isWaiting = await pollOnce()
      try? await clock.sleep(for: isWaiting ? Self.interval : Self.idle)
    }
  }

  /// Returns whether there was anybody to ask.
  @discardableResult
  package func pollOnce() async -> Bool {
    guard !host.isAway else { return false }
    do {
      var servers = try await store.serversAwaitingUserData(
        on: host.id, after: last.withLock { $0 }, limit: Self.atOnce)
      if servers.isEmpty, last.withLock({ $0 }) != nil {
        servers = try await store.serversAwaitingUserData(on: host.id, after: nil, limit: Self.atOnce)
      }
      last.withLock { $0 = servers.last?.id }
      await withDiscardingTaskGroup { group in
        for server in servers { group.addTask { await self.ask(server) } }
      }
      return !servers.isEmpty
    } catch {
      logger.error("user data could not be looked at", metadata: ["error": "\(String(reflecting: error))"])
      return false
    }
  }

  private func ask(_ server: Server) async {
    do {
      let outcome = try await host.driver.userDataOutcome(of: server.uuid)
      guard outcome != .underWay else { return }
      try await store.recordUserData(of: server.id, hasFailed: outcome == .failed)
      if outcome == .failed {
        logger.notice("the user data of a server failed", metadata: ["server": "\(server.id)"])
        changes.tell(server.id)
      }
    } catch let error as DriverError {
      logger.debug("a guest does not tell", metadata: ["server": "\(server.id)", "detail": "\(error.detail)"])
    } catch {
      logger.error("user data could not be looked at", metadata: ["error": "\(String(reflecting: error))"])
    }
  }
}

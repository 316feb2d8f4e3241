package import Core
package import Logging
import Synchronization

/// Asks the guests of one host what became of their user data, a few at a time and in turn. A guest that does not answer delays
/// only others that are asked the same. A guest that has not told in time is asked no more.
package final class UserDataWatch: Sendable {
  /// How long a guest is asked, counted from this process's first question. The time starts anew if its server was not active
  /// meanwhile.
  private enum Patience {
    /// For a guest that does not answer, since its last answer.
    static let withSilence = Duration.seconds(3600)
    /// For a guest that answers that it is not done yet.
    static let withWork = Duration.seconds(86_400)
  }

  private struct Asked {
    let since: Instant
    var answeredAt: Instant
  }

  private struct State {
    var last: ID<Server>?
    var asked: [ID<Server>: Asked] = [:]
    /// The servers that were asked since the current round over all servers began.
    var inThisRound: Set<ID<Server>> = []

    /// Forgets servers that were not asked in the round that ends: if they are asked again, their time starts anew.
    mutating func beginRound() {
      asked = asked.filter { inThisRound.contains($0.key) }
      inThisRound = []
    }
  }

  private static let atOnce = 4
  private static let interval = Duration.seconds(5)
  /// The interval while there is no guest to ask.
  private static let idle = Duration.seconds(15)

  private let host: FleetHost
  private let store: any UserDataStore
  private let changes: Broadcast
  private let clock: any WallClock
  private let logger: Logger
  private let state = Mutex(State())

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

  /// Returns whether there was a guest to ask.
  @discardableResult
  package func pollOnce() async -> Bool {
    guard !host.isAway else {
      // All times start anew, because its guests could not answer.
      state.withLock { $0 = State() }
      return false
    }
    do {
      let last = state.withLock { $0.last }
      var servers = try await store.serversAwaitingUserData(on: host.id, after: last, limit: Self.atOnce)
      if servers.isEmpty {
        state.withLock { $0.beginRound() }
        if last != nil {
          servers = try await store.serversAwaitingUserData(on: host.id, after: nil, limit: Self.atOnce)
        }
      }
      state.withLock { $0.last = servers.last?.id }
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
    let asked = note(server.id, at: clock.uptime)
    do {
      switch try await host.driver.userDataOutcome(of: server.uuid) {
      case .underWay:
        let now = clock.uptime
        state.withLock { $0.asked[server.id]?.answeredAt = now }
        if now - asked.since >= Patience.withWork { try await end(server, .unknown) }
      case .failed: try await end(server, .failed)
      case .succeeded, .unknowable: try await end(server, nil)
      }
    } catch let error as DriverError {
      logger.debug("a guest does not tell", metadata: ["server": "\(server.id)", "detail": "\(error.detail)"])
      if clock.uptime - asked.answeredAt >= Patience.withSilence { await giveUp(server) }
    } catch {
      logger.error("user data could not be looked at", metadata: ["error": "\(String(reflecting: error))"])
    }
  }

  private func note(_ server: ID<Server>, at now: Instant) -> Asked {
    state.withLock { state in
      let asked = state.asked[server] ?? Asked(since: now, answeredAt: now)
      state.asked[server] = asked
      state.inThisRound.insert(server)
      return asked
    }
  }

  private func giveUp(_ server: Server) async {
    do {
      try await end(server, .unknown)
    } catch {
      logger.error("user data could not be given up", metadata: ["error": "\(String(reflecting: error))"])
    }
  }

  private func end(_ server: Server, _ trouble: UserDataTrouble?) async throws {
    try await store.recordUserData(of: server.id, trouble)
    guard let trouble else { return }
    logger.notice(
      trouble == .failed ? "the user data of a server failed" : "a server did not tell in time what its user data did",
      metadata: ["server": "\(server.id)"])
    changes.tell(server.id)
  }
}

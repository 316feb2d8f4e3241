package import Core

/// The events of an account's servers, as a stream.
package struct Events: Sendable {
  package static let toFollow = Permission(.servers, .read)
  static let heartbeat = Duration.seconds(15)
  /// How often the store is read where no change was announced.
  static let longestSilence = Duration.seconds(1)
  static let batchSize = 100

  package enum Element: Sendable {
    /// The first element where the client named no event: the events that follow have ids above this one.
    case beginning(after: Int64)
    case event(ServerEvent)
    /// Some events after the one that the client named are not kept any more. The events that follow have ids above this one.
    case gap(after: Int64)
    /// There was nothing to tell for a while.
    case heartbeat
  }

  private let store: any EventStore
  private let changes: Broadcast
  private let clock: any WallClock

  package init(store: any EventStore, changes: Broadcast, clock: any WallClock) {
    self.store = store
    self.changes = changes
    self.clock = clock
  }

  /// Calls `tell` for every event after the one with this id, or from now on where it is nil. Returns when the service ends,
  /// the task is cancelled or `isWelcome` returns false.
  package func follow(
    after id: Int64?, _ caller: Caller, isWelcome: () async throws -> Bool, _ tell: (Element) async throws -> Void
  ) async throws {
    try caller.require(Self.toFollow)
    try await changes.listen(to: nil) { bell in
      var last = try await begin(after: id, tell)
      var lastTold = clock.uptime
      while !Task.isCancelled, !changes.isOver, try await isWelcome() {
        let events = try await store.events(of: caller.accountID, after: last, limit: Self.batchSize)
        for event in events { try await tell(.event(event)) }
        if let newest = events.last {
          last = newest.id
          lastTold = clock.uptime
          continue
        }
        if clock.uptime - lastTold >= Self.heartbeat {
          try await tell(.heartbeat)
          lastTold = clock.uptime
        }
        await bell.wait(until: min(clock.uptime + Self.longestSilence, lastTold + Self.heartbeat), clock: clock)
      }
    }
  }

  private func begin(after id: Int64?, _ tell: (Element) async throws -> Void) async throws -> Int64 {
    let kept = try await store.keptEvents()
    guard let id else {
      // This element opens the stream for clients that wait for its first bytes. It also gives those that lose the connection
      // before the first event an id to go on from.
      try await tell(.beginning(after: kept.last))
      return kept.last
    }
    // An id that was never assigned comes from another installation, or from before the database was restored.
    guard id < kept.first - 1 || id > kept.last else { return id }
    let start = id > kept.last ? kept.last : kept.first - 1
    try await tell(.gap(after: start))
    return start
  }
}

package import Core

/// What operators do with hosts: with a command on one of them, or in the panel.
package struct OperatorHosts: Sendable {
  /// A write holds up all others.
  private static let deletionsAtOnce = 50

  private let store: any HostStore
  private let clock: any WallClock

  package init(store: any HostStore, clock: any WallClock) {
    self.store = store
    self.clock = clock
  }

  package func list() async throws -> [HostLoad] { try await store.hosts() }

  /// What becomes of the servers of a host that is drained.
  package enum Draining: Sendable, Equatable {
    case keepsServers
    /// From this time on they are moved to other hosts of the location, one after another; nil for at once.
    case movesServers(at: Timestamp?)
  }

  /// A draining host takes no new servers.
  package func setDraining(
    _ isDraining: Bool, _ id: ID<Host>, _ draining: Draining = .keepsServers, by operator: Operator
  ) async throws -> HostLoad {
    let name = try await load(id).host.name
    let now = clock.now
    let time: Timestamp? =
      switch draining {
      case .keepsServers: nil
      case .movesServers(let time): time ?? now
      }
    _ = try await store.setDraining(isDraining, movingServersAt: time, host: name, by: `operator`, at: now)
    return try await load(id)
  }

  /// The host's service has to be stopped before, and started with the new name.
  package func rename(_ name: String, to newName: String, by operator: Operator) async throws -> Host {
    try await store.renameHost(name, to: newName, by: `operator`, at: clock.now)
  }

  /// For a host that is gone for good.
  ///
  /// - Parameter deletingServers: Deletes the servers that it still has, and says how many have been deleted so far.
  package func remove(
    _ name: String, deletingServers progress: ((Int) -> Void)? = nil, by operator: Operator
  ) async throws -> Host {
    if let progress {
      var count = 0
      while case let more = try await store.deleteServers(
        ofLostHost: name, atMost: Self.deletionsAtOnce, by: `operator`, at: clock.now), more > 0
      {
        count += more
        progress(count)
      }
    }
    return try await store.removeHost(name, by: `operator`, at: clock.now)
  }

  package func read(_ id: ID<Host>) async throws -> HostLoad { try await load(id) }

  private func load(_ id: ID<Host>) async throws -> HostLoad {
    guard let load = try await store.hosts().first(where: { $0.host.id == id }) else { throw Failure.notFound }
    return load
  }
}

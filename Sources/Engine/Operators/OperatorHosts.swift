package import Core

/// What operators do with hosts: with a command on one of them, or in the panel.
package struct OperatorHosts: Sendable {
  private let store: any HostStore
  private let clock: any WallClock

  package init(store: any HostStore, clock: any WallClock) {
    self.store = store
    self.clock = clock
  }

  package func list() async throws -> [HostLoad] { try await store.hosts() }

  /// A draining host takes no new servers.
  package func setDraining(_ isDraining: Bool, _ id: ID<Host>, by operator: Operator) async throws -> HostLoad {
    let name = try await load(id).host.name
    _ = try await store.setDraining(isDraining, host: name, by: `operator`, at: clock.now)
    return try await load(id)
  }

  /// The host's service has to be stopped before, and started with the new name.
  package func rename(_ name: String, to newName: String, by operator: Operator) async throws -> Host {
    try await store.renameHost(name, to: newName, by: `operator`, at: clock.now)
  }

  /// For a host that is gone for good.
  package func remove(_ name: String, by operator: Operator) async throws -> Host {
    try await store.removeHost(name, by: `operator`, at: clock.now)
  }

  package func read(_ id: ID<Host>) async throws -> HostLoad { try await load(id) }

  private func load(_ id: ID<Host>) async throws -> HostLoad {
    guard let load = try await store.hosts().first(where: { $0.host.id == id }) else { throw Failure.notFound }
    return load
  }
}

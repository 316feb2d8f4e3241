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

  package func read(_ id: ID<Host>) async throws -> HostLoad { try await load(id) }

  private func load(_ id: ID<Host>) async throws -> HostLoad {
    guard let load = try await store.hosts().first(where: { $0.host.id == id }) else { throw Failure.notFound }
    return load
  }
}

package import Core

/// The catalogue, for an operator's program. Nothing is ever removed from it, only taken off sale.
package struct OperatorCatalogue: Sendable {
  package typealias Stores = CatalogueStore & OfferStore & OperatorStore

  private let store: any Stores
  private let clock: any WallClock

  package init(store: any Stores, clock: any WallClock) {
    self.store = store
    self.clock = clock
  }

  /// The catalogue as it is stored; what customers see may be a second older.
  package func read() async throws -> Catalogue { try await store.catalogue() }

  package func add(_ plan: NewPlan, by operator: Operator) async throws -> Plan {
    try await store.addPlan(plan, by: `operator`, at: clock.now)
  }

  package func update(_ id: ID<Plan>, _ change: PlanChange, by operator: Operator) async throws -> Plan {
    guard let updated = try await store.updatePlan(id, change, by: `operator`, at: clock.now) else {
      throw Failure.notFound
    }
    return updated.plan
  }

  package func add(_ system: NewOperatingSystem, by operator: Operator) async throws -> OperatingSystem {
    try await store.addOperatingSystem(system, by: `operator`, at: clock.now)
  }

  package func update(
    _ system: OperatingSystem, _ change: OperatingSystemChange, by operator: Operator
  ) async throws -> OperatingSystem {
    if let username = change.username { try await requireNoServers(with: system, orElse: username) }
    guard let changed = try await store.updateOperatingSystem(system.id, change, by: `operator`, at: clock.now) else {
      throw Failure.notFound
    }
    return changed
  }

  /// Throws if servers use the system and the username differs: their customers were told the username in their image.
  private func requireNoServers(with system: OperatingSystem, orElse username: String) async throws {
    if username.utf8.elementsEqual(system.username.utf8) { return }
    guard try await store.systemUses().contains(where: { $0.system == system.id }) else { return }
    throw Failure(
      .wrongState,
      "Servers have \(system.name), and the account \(system.username) in it: offer the one with \(username.quoted) by "
        + "another name.")
  }

  package func add(_ location: NewLocation, by operator: Operator) async throws -> Location {
    try await store.addLocation(location, by: `operator`, at: clock.now)
  }

  package func update(
    _ id: ID<Location>, _ change: LocationChange, by operator: Operator
  ) async throws -> Location {
    guard let changed = try await store.updateLocation(id, change, by: `operator`, at: clock.now) else {
      throw Failure.notFound
    }
    return changed
  }
}

/// The catalogue, for the operator who changes it. Nothing is ever removed, so that existing orders stay valid. A
/// running service sees a change within a second.
package protocol OfferStore: Sendable {
  /// Throws `conflict` if another plan has this slug, and `notFound` if there is no such location.
  func addPlan(_ plan: NewPlan, by operator: Operator, at now: Timestamp) async throws -> Plan
  /// Returns nil if there is no such plan. Throws what `addPlan` throws. If servers have the plan, throws `wrongState`
  /// for another size, and for less traffic unless the change applies to existing servers.
  func updatePlan(
    _ id: ID<Plan>, _ change: PlanChange, by operator: Operator, at now: Timestamp
  ) async throws -> UpdatedPlan?

  /// Throws `conflict` if another operating system has this slug.
  func addOperatingSystem(
    _ system: NewOperatingSystem, by operator: Operator, at now: Timestamp
  ) async throws -> OperatingSystem
  /// Returns nil if there is no such operating system. Throws what `addOperatingSystem` throws.
  func updateOperatingSystem(
    _ id: ID<OperatingSystem>, _ change: OperatingSystemChange, by operator: Operator, at now: Timestamp
  ) async throws -> OperatingSystem?

  /// Throws `conflict` if another location has this code.
  func addLocation(_ location: NewLocation, by operator: Operator, at now: Timestamp) async throws -> Location
  /// Returns nil if there is no such location.
  func updateLocation(
    _ id: ID<Location>, _ change: LocationChange, by operator: Operator, at now: Timestamp
  ) async throws -> Location?
}

/// The same methods for commands on the host.
extension OfferStore {
  package func addPlan(_ plan: NewPlan, at now: Timestamp) async throws -> Plan {
    try await addPlan(plan, by: .host, at: now)
  }

  package func updatePlan(_ id: ID<Plan>, _ change: PlanChange, at now: Timestamp) async throws -> UpdatedPlan? {
    try await updatePlan(id, change, by: .host, at: now)
  }

  package func addOperatingSystem(_ system: NewOperatingSystem, at now: Timestamp) async throws -> OperatingSystem {
    try await addOperatingSystem(system, by: .host, at: now)
  }

  package func updateOperatingSystem(
    _ id: ID<OperatingSystem>, _ change: OperatingSystemChange, at now: Timestamp
  ) async throws -> OperatingSystem? {
    try await updateOperatingSystem(id, change, by: .host, at: now)
  }

  package func addLocation(_ location: NewLocation, at now: Timestamp) async throws -> Location {
    try await addLocation(location, by: .host, at: now)
  }

  package func updateLocation(
    _ id: ID<Location>, _ change: LocationChange, at now: Timestamp
  ) async throws -> Location? {
    try await updateLocation(id, change, by: .host, at: now)
  }
}

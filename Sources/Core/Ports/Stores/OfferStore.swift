/// What is for sale, for the operator who changes it. Nothing is ever removed: what was ordered from it goes on, and whoever
/// reads the catalogue of a running service sees a change within a second.
package protocol OfferStore: Sendable {
  /// Throws `conflict` where another plan has this slug, and `notFound` for a location that is not there.
  func addPlan(_ plan: NewPlan, by operator: Operator, at now: Timestamp) async throws -> Plan
  /// Returns nil where there is no such plan. Throws as `addPlan`, and `wrongState` where it is to get another size while
  /// servers have the one that it has.
  func updatePlan(
    _ id: ID<Plan>, _ change: PlanChange, by operator: Operator, at now: Timestamp
  ) async throws -> UpdatedPlan?

  /// Throws `conflict` where another one has this slug.
  func addOperatingSystem(
    _ system: NewOperatingSystem, by operator: Operator, at now: Timestamp
  ) async throws -> OperatingSystem
  /// Returns nil where there is no such operating system. Throws as `addOperatingSystem`.
  func updateOperatingSystem(
    _ id: ID<OperatingSystem>, _ change: OperatingSystemChange, by operator: Operator, at now: Timestamp
  ) async throws -> OperatingSystem?

  /// Throws `conflict` where another one has this code.
  func addLocation(_ location: NewLocation, by operator: Operator, at now: Timestamp) async throws -> Location
  /// Returns nil where there is no such location.
  func updateLocation(
    _ id: ID<Location>, _ change: LocationChange, by operator: Operator, at now: Timestamp
  ) async throws -> Location?
}

/// The same on the host.
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

/// What is for sale, for the operator who changes it. Nothing is ever removed: what was ordered from it goes on, and whoever
/// reads the catalogue of a running service sees a change within a second.
package protocol OfferStore: Sendable {
  /// Throws `conflict` where another plan has this slug, and `notFound` for a location that is not there.
  func addPlan(_ plan: NewPlan, at now: Timestamp) async throws -> Plan
  /// Returns nil where there is no such plan. Throws as `addPlan`, and `wrongState` where it is to get another size while
  /// servers have the one that it has.
  func updatePlan(_ id: ID<Plan>, _ change: PlanChange, at now: Timestamp) async throws -> UpdatedPlan?

  /// Throws `conflict` where another one has this slug.
  func addOperatingSystem(_ system: NewOperatingSystem, at now: Timestamp) async throws -> OperatingSystem
  /// Returns nil where there is no such operating system. Throws as `addOperatingSystem`.
  func updateOperatingSystem(
    _ id: ID<OperatingSystem>, _ change: OperatingSystemChange, at now: Timestamp
  ) async throws -> OperatingSystem?

  /// Throws `conflict` where another one has this code.
  func addLocation(_ location: NewLocation, at now: Timestamp) async throws -> Location
  /// Returns nil where there is no such location.
  func updateLocation(_ id: ID<Location>, _ change: LocationChange, at now: Timestamp) async throws -> Location?
}

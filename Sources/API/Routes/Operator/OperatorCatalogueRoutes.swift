import Core
import Engine
import HTTPTypes
import Hummingbird
import NIOCore

/// The catalogue for operators' programs: with the fields that customers do not see, and with routes to change it.
struct OperatorCatalogueRoutes {
  let catalogue: OperatorCatalogue

  var endpoints: [Endpoint] { plans + systems + locations }

  private var plans: [Endpoint] {
    [
      Endpoint(.get, "/operator/plans/", Operators.toRead) { request in
        try request.list(
          try await catalogue.read().plans, orderedBy: CatalogueRoutes.planKeys, name: \.name, Self.plan)
      },
      Endpoint(.post, "/operator/plans/", Operators.toChange, handle: addPlan),
      Endpoint(.get, "/operator/plans/{id}/", Operators.toRead) { request in
        CatalogueRoutes.one(try await plan(of: request), Self.plan)
      },
      Endpoint(.patch, "/operator/plans/{id}/", Operators.toChange, handle: updatePlan),
    ]
  }

  private var systems: [Endpoint] {
    [
      Endpoint(.get, "/operator/operating-systems/", Operators.toRead) { request in
        try request.list(
          try await catalogue.read().operatingSystems, orderedBy: CatalogueRoutes.systemKeys, name: \.name,
          Self.system)
      },
      Endpoint(.post, "/operator/operating-systems/", Operators.toChange, handle: addSystem),
      Endpoint(.get, "/operator/operating-systems/{id}/", Operators.toRead) { request in
        CatalogueRoutes.one(try await system(of: request), Self.system)
      },
      Endpoint(.patch, "/operator/operating-systems/{id}/", Operators.toChange, handle: updateSystem),
    ]
  }

  private var locations: [Endpoint] {
    [
      Endpoint(.get, "/operator/locations/", Operators.toRead) { request in
        try request.list(
          try await catalogue.read().locations, orderedBy: CatalogueRoutes.locationKeys, name: \.name,
          CatalogueRoutes.location)
      },
      Endpoint(.post, "/operator/locations/", Operators.toChange, handle: addLocation),
      Endpoint(.get, "/operator/locations/{id}/", Operators.toRead) { request in
        CatalogueRoutes.one(
          try CatalogueRoutes.location(in: request, try await catalogue.read()), CatalogueRoutes.location)
      },
      Endpoint(.patch, "/operator/locations/{id}/", Operators.toChange, handle: updateLocation),
    ]
  }

  private static func plan(_ writer: inout JSONWriter, _ plan: Plan) {
    CatalogueRoutes.plan(&writer, plan, isWhole: true)
  }

  private static func system(_ writer: inout JSONWriter, _ system: OperatingSystem) {
    CatalogueRoutes.operatingSystem(&writer, system, isWhole: true)
  }

  // MARK: Plans

  private func plan(of request: APIRequest) async throws -> Plan {
    guard let plan = try await catalogue.read().plan(try request.reference()) else { throw Failure.notFound }
    return plan
  }

  @Sendable private func addPlan(_ request: APIRequest) async throws -> Response {
    var fields = try await request.fields()
    let plan = OfferBody.newPlan(from: &fields, try await catalogue.read())
    try fields.errors.throwIfAny(order: OfferBody.planOrder)
    guard let plan else { throw Failure.internalError("A body without errors lacks a field.") }
    return CatalogueRoutes.one(
      try await catalogue.add(plan, by: .program(request.caller)), status: .created, Self.plan)
  }

  @Sendable private func updatePlan(_ request: APIRequest) async throws -> Response {
    let plan = try await plan(of: request)
    var fields = try await request.fields()
    let change = OfferBody.planChange(from: &fields, try await catalogue.read())
    try fields.errors.throwIfAny(order: OfferBody.planOrder)
    return CatalogueRoutes.one(
      try await catalogue.update(plan.id, change, by: .program(request.caller)), Self.plan)
  }

  // MARK: Operating systems

  private func system(of request: APIRequest) async throws -> OperatingSystem {
    guard let system = try await catalogue.read().operatingSystem(try request.reference()) else {
      throw Failure.notFound
    }
    return system
  }

  @Sendable private func addSystem(_ request: APIRequest) async throws -> Response {
    var fields = try await request.fields()
    let system = OfferBody.newSystem(from: &fields)
    try fields.errors.throwIfAny(order: OfferBody.systemOrder)
    guard let system else { throw Failure.internalError("A body without errors lacks a field.") }
    return CatalogueRoutes.one(
      try await catalogue.add(system, by: .program(request.caller)), status: .created, Self.system)
  }

  @Sendable private func updateSystem(_ request: APIRequest) async throws -> Response {
    let system = try await system(of: request)
    var fields = try await request.fields()
    let change = OfferBody.systemChange(from: &fields)
    try fields.errors.throwIfAny(order: OfferBody.systemOrder)
    return CatalogueRoutes.one(
      try await catalogue.update(system, change, by: .program(request.caller)), Self.system)
  }

  // MARK: Locations

  @Sendable private func addLocation(_ request: APIRequest) async throws -> Response {
    var fields = try await request.fields()
    let location = OfferBody.newLocation(from: &fields)
    try fields.errors.throwIfAny(order: OfferBody.locationOrder)
    guard let location else { throw Failure.internalError("A body without errors lacks a field.") }
    return CatalogueRoutes.one(
      try await catalogue.add(location, by: .program(request.caller)), status: .created, CatalogueRoutes.location)
  }

  @Sendable private func updateLocation(_ request: APIRequest) async throws -> Response {
    let location = try CatalogueRoutes.location(in: request, try await catalogue.read())
    var fields = try await request.fields()
    let change = OfferBody.locationChange(from: &fields)
    try fields.errors.throwIfAny(order: OfferBody.locationOrder)
    return CatalogueRoutes.one(
      try await catalogue.update(location.id, change, by: .program(request.caller)), CatalogueRoutes.location)
  }
}

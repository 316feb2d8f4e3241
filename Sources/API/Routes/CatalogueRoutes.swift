import Core
import Engine
import Hummingbird
import NIOCore

/// Plans, operating systems and locations, to be read only.
struct CatalogueRoutes {
  let catalogue: CatalogueReader

  private static let read = Permission(.servers, .read)

  var endpoints: [Endpoint] {
    [
      Endpoint(.get, "/plans/", Self.read, handle: listPlans),
      Endpoint(.get, "/plans/{id}/", Self.read) { request in
        try await one(request, \.plans, \.id, Self.plan)
      },
      Endpoint(.get, "/operating-systems/", Self.read) { request in
        .json(ListWire.list(try await catalogue.catalogue(for: request.caller).operatingSystems, Self.operatingSystem))
      },
      Endpoint(.get, "/operating-systems/{id}/", Self.read) { request in
        try await one(request, \.operatingSystems, \.id, Self.operatingSystem)
      },
      Endpoint(.get, "/locations/", Self.read) { request in
        .json(ListWire.list(try await catalogue.catalogue(for: request.caller).locations, Self.location))
      },
      Endpoint(.get, "/locations/{id}/", Self.read) { request in
        try await one(request, \.locations, \.id, Self.location)
      },
    ]
  }

  @Sendable private func listPlans(_ request: APIRequest) async throws -> Response {
    let catalogue = try await catalogue.catalogue(for: request.caller)
    var plans = catalogue.plans
    if let code = request.query("location") {
      var errors = FieldErrors()
      if catalogue.location(code: code) == nil { errors.add("location", "\"\(code)\" is not a valid choice.") }
      try errors.throwIfAny(order: ["location"])
      plans = plans.filter { $0.locations.contains(code) }
    }
    return .json(ListWire.list(plans, Self.plan))
  }

  private func one<Element>(
    _ request: APIRequest, _ elements: (Catalogue) -> [Element], _ id: (Element) -> ID<Element>,
    _ write: (inout JSONWriter, Element) -> Void
  ) async throws -> Response {
    let wanted: ID<Element> = try request.id()
    guard let element = elements(try await catalogue.catalogue(for: request.caller)).first(where: { id($0) == wanted })
    else { throw Failure.notFound }
    var writer = JSONWriter()
    write(&writer, element)
    return .json(writer.buffer)
  }

  private static func plan(_ writer: inout JSONWriter, _ plan: Plan) {
    writer.object { writer in
      writer.field("id", plan.id.value)
      writer.field("name", plan.name)
      writer.field("slug", plan.slug)
      writer.field("vcpus", plan.vcpus)
      writer.field("memory", plan.memoryMiB)
      writer.field("storage", plan.storageGiB)
      writer.field("bandwidth", plan.bandwidthGB)
      writer.field("price_monthly", plan.pricePerMonth)
      writer.field("price_hourly", plan.pricePerHour)
      writer.field("available", plan.isAvailable)
      writer.field("locations", plan.locations) { $0.value($1) }
      writer.field("description", plan.description)
    }
  }

  private static func operatingSystem(_ writer: inout JSONWriter, _ system: OperatingSystem) {
    writer.object { writer in
      writer.field("id", system.id.value)
      writer.field("name", system.name)
      writer.field("slug", system.slug)
      writer.field("family", system.family)
      writer.field("version", system.version)
      writer.field("available", system.isAvailable)
    }
  }

  private static func location(_ writer: inout JSONWriter, _ location: Location) {
    writer.object { writer in
      writer.field("id", location.id.value)
      writer.field("code", location.code)
      writer.field("name", location.name)
      writer.field("country_code", location.countryCode)
      writer.field("country_name", location.countryName)
      writer.field("is_active", location.isActive)
    }
  }
}

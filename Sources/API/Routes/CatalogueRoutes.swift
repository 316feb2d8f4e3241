import Core
import Engine
import Foundation
import HTTPTypes
import Hummingbird
import NIOCore

/// Plans, operating systems and locations, read-only.
struct CatalogueRoutes {
  let catalogue: CatalogueReader

  private static let read = CatalogueReader.toRead

  var endpoints: [Endpoint] {
    [
      Endpoint(.get, "/plans/", Self.read, handle: listPlans),
      Endpoint(.get, "/plans/{id}/", Self.read) { request in
        guard let plan = try await catalogue.catalogue(for: request.caller).plan(try request.reference()) else {
          throw Failure.notFound
        }
        return Self.one(plan) { Self.plan(&$0, $1) }
      },
      Endpoint(.get, "/operating-systems/", Self.read) { request in
        try request.list(
          try await catalogue.catalogue(for: request.caller).operatingSystems,
          orderedBy: Self.systemKeys, name: \.name
        ) { Self.operatingSystem(&$0, $1) }
      },
      Endpoint(.get, "/operating-systems/{id}/", Self.read) { request in
        let catalogue = try await catalogue.catalogue(for: request.caller)
        guard let system = catalogue.operatingSystem(try request.reference()) else { throw Failure.notFound }
        return Self.one(system) { Self.operatingSystem(&$0, $1) }
      },
      Endpoint(.get, "/locations/", Self.read) { request in
        try request.list(
          try await catalogue.catalogue(for: request.caller).locations,
          orderedBy: Self.locationKeys, name: \.name, Self.location)
      },
      Endpoint(.get, "/locations/{id}/", Self.read) { request in
        let catalogue = try await catalogue.catalogue(for: request.caller)
        return Self.one(try Self.location(in: request, catalogue), Self.location)
      },
    ]
  }

  /// Finds a location by its code, or by its id.
  static func location(in request: APIRequest, _ catalogue: Catalogue) throws -> Location {
    let code = request.context.parameters.get("id")
    let found = try catalogue.location(code: code ?? "") ?? catalogue.location(try request.id())
    guard let found else { throw Failure.notFound }
    return found
  }

  @Sendable private func listPlans(_ request: APIRequest) async throws -> Response {
    let catalogue = try await catalogue.catalogue(for: request.caller)
    var plans = catalogue.plans
    if let code = try request.query("location") {
      guard catalogue.location(code: code) != nil else {
        throw WireErrors("location", "\(code.quoted) is not a valid choice.")
      }
      plans = plans.filter { $0.locations.contains(code) }
    }
    return try request.list(plans, orderedBy: Self.planKeys, name: \.name) { Self.plan(&$0, $1) }
  }

  static var planKeys: [SortKey<Plan>] {
    [
      SortKey("id", \.id), SortKey("name", \.name), SortKey("price_hourly", \.pricePerHour),
      SortKey("memory", \.memoryMiB),
    ]
  }
  static var systemKeys: [SortKey<OperatingSystem>] { [SortKey("id", \.id), SortKey("name", \.name)] }
  static var locationKeys: [SortKey<Location>] {
    [SortKey("id", \.id), SortKey("code", \.code), SortKey("name", \.name)]
  }

  static func one<Element>(
    _ element: Element, status: HTTPResponse.Status = .ok, _ write: (inout JSONWriter, Element) -> Void
  ) -> Response {
    var writer = JSONWriter()
    write(&writer, element)
    return .json(writer.buffer, status: status)
  }

  /// - Parameter isWhole: Whether to include the fields that only operators see.
  static func plan(_ writer: inout JSONWriter, _ plan: Plan, isWhole: Bool = false) {
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
      writer.field("uuid", plan.uuid.text)
      writer.field("ram", thousandths: plan.memoryMiB * 1000 / 1024)
      writer.field("ram_unit", "GB")
      writer.field("cpu", plan.vcpus)
      writer.field("disk_space", plan.storageGiB)
      writer.field("transfer", plan.bandwidthGB)
      writer.field("monthly_price", plan.pricePerMonth)
      writer.field("hourly_price", plan.pricePerHour)
      writer.field("port_speed_mbit", plan.portSpeedMbit > 0 ? Int64(plan.portSpeedMbit) : nil)
      guard isWhole else { return }
      writer.field("cpu_weight", plan.limits.cpuWeight)
      writer.field("disk_iops", plan.diskIOPS)
      writer.field("disk_throughput", plan.diskMiBPerSecond)
    }
  }

  static func operatingSystem(_ writer: inout JSONWriter, _ system: OperatingSystem, isWhole: Bool = false) {
    writer.object { writer in
      writer.field("id", system.id.value)
      writer.field("name", system.name)
      writer.field("slug", system.slug)
      writer.field("family", system.family)
      writer.field("version", system.version)
      writer.field("available", system.isAvailable)
      writer.field("uuid", system.uuid.text)
      // In this catalogue, each operating system is its own only version.
      writer.field("versions", [system]) { writer, system in
        writer.object { writer in
          writer.field("uuid", system.uuid.text)
          writer.field("name", system.name)
        }
      }
      guard isWhole else { return }
      writer.field("image", system.imageName)
      writer.field("username", system.username)
    }
  }

  static func location(_ writer: inout JSONWriter, _ location: Location) {
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

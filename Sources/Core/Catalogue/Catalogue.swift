import Foundation

/// Everything that can be ordered now, or could be once: small enough to be read and kept as a whole. Each list is
/// ordered by id.
package struct Catalogue: Sendable, Equatable {
  package let plans: [Plan]
  package let operatingSystems: [OperatingSystem]
  package let locations: [Location]

  package init(plans: [Plan], operatingSystems: [OperatingSystem], locations: [Location]) {
    self.plans = plans
    self.operatingSystems = operatingSystems
    self.locations = locations
  }

  package func plan(_ id: ID<Plan>) -> Plan? { plans.first { $0.id == id } }
  package func operatingSystem(_ id: ID<OperatingSystem>) -> OperatingSystem? {
    operatingSystems.first { $0.id == id }
  }
  package func plan(_ reference: Reference<Plan>) -> Plan? {
    switch reference {
    case .id(let id): plan(id)
    case .uuid(let uuid): plans.first { $0.uuid == uuid }
    }
  }
  package func operatingSystem(_ reference: Reference<OperatingSystem>) -> OperatingSystem? {
    switch reference {
    case .id(let id): operatingSystem(id)
    case .uuid(let uuid): operatingSystems.first { $0.uuid == uuid }
    }
  }
  package func location(_ id: ID<Location>) -> Location? { locations.first { $0.id == id } }
  package func location(code: String) -> Location? {
    code.isPlain(atMost: 64) ? locations.first { $0.code == code } : nil
  }
}

extension Catalogue {
  /// What a new installation offers: the ids and figures of the API's documentation.
  package static let initial = Catalogue(
    plans: [
      Plan(
        id: ID(1), uuid: UUID(uuidString: "b17439ba-1555-4120-93a3-3b7252b7ce21")!,
        name: "Standard VPS", slug: "standard", description: "2 vCPU, 4 GiB memory, 80 GiB storage.",
        vcpus: 2, memoryMiB: 4096, storageGiB: 80, bandwidthGB: 2048, pricePerHour: Money(microunits: 30_000),
        locations: ["us-west", "us-east"], isAvailable: true),
      Plan(
        id: ID(2), uuid: UUID(uuidString: "61a682b7-3efa-4d6a-90d9-670340536bda")!,
        name: "Performance VPS", slug: "performance",
        description: "4 vCPU, 8 GiB memory, 160 GiB storage.",
        vcpus: 4, memoryMiB: 8192, storageGiB: 160, bandwidthGB: 4096, pricePerHour: Money(microunits: 60_000),
        locations: ["us-west", "us-east"], isAvailable: true),
      Plan(
        id: ID(3), uuid: UUID(uuidString: "75333dbb-712a-4cde-ae9f-4e1807ce9ab4")!,
        name: "Nano VPS", slug: "nano", description: "1 vCPU, 512 MiB memory, 5 GiB storage.",
        vcpus: 1, memoryMiB: 512, storageGiB: 5, bandwidthGB: 512, pricePerHour: Money(microunits: 5_000),
        locations: ["us-west", "us-east"], isAvailable: true),
    ],
    operatingSystems: [
      OperatingSystem(
        id: ID(3), uuid: UUID(uuidString: "263f59e4-c5ea-4e28-92d3-25dac694c02e")!,
        name: "Debian 12", slug: "debian-12", family: "debian", version: "12", imageName: "debian-12",
        isAvailable: true),
      OperatingSystem(
        id: ID(5), uuid: UUID(uuidString: "b0f2c68e-ae07-4dc5-8be6-d19041f37bd9")!,
        name: "Ubuntu 22.04 LTS", slug: "ubuntu-22.04", family: "ubuntu", version: "22.04",
        imageName: "ubuntu-22.04", isAvailable: true),
    ],
    locations: [
      Location(
        id: ID(1), code: "us-west", name: "US West", countryCode: "US", countryName: "United States",
        isActive: true),
      Location(
        id: ID(2), code: "us-east", name: "US East", countryCode: "US", countryName: "United States",
        isActive: true),
    ])
}

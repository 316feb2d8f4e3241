/// All that can be ordered, and all that was ever ordered from: small enough to be read and kept as a whole. Each list is
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
  package func location(code: String) -> Location? { locations.first { $0.code == code } }
}

extension Catalogue {
  /// What a new installation offers: the ids and figures of the API's documentation.
  package static let initial = Catalogue(
    plans: [
      Plan(
        id: ID(1), name: "Standard VPS", slug: "standard", description: "2 vCPU, 4 GiB memory, 80 GiB storage.",
        vcpus: 2, memoryMiB: 4096, storageGiB: 80, bandwidthGB: 2048, pricePerHour: Money(microunits: 30_000),
        locations: ["us-west", "us-east"], isAvailable: true),
      Plan(
        id: ID(2), name: "Performance VPS", slug: "performance",
        description: "4 vCPU, 8 GiB memory, 160 GiB storage.",
        vcpus: 4, memoryMiB: 8192, storageGiB: 160, bandwidthGB: 4096, pricePerHour: Money(microunits: 60_000),
        locations: ["us-west", "us-east"], isAvailable: true),
      Plan(
        id: ID(3), name: "Nano VPS", slug: "nano", description: "1 vCPU, 512 MiB memory, 5 GiB storage.",
        vcpus: 1, memoryMiB: 512, storageGiB: 5, bandwidthGB: 512, pricePerHour: Money(microunits: 5_000),
        locations: ["us-west", "us-east"], isAvailable: true),
    ],
    operatingSystems: [
      OperatingSystem(
        id: ID(3), name: "Debian 12", slug: "debian-12", family: "debian", version: "12", imageName: "debian-12",
        isAvailable: true),
      OperatingSystem(
        id: ID(5), name: "Ubuntu 22.04 LTS", slug: "ubuntu-22.04", family: "ubuntu", version: "22.04",
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

extension Plan {
  package static let nameRule = TextRule(maximumLength: 64)
  package static let descriptionRule = TextRule(maximumLength: 500)
  package static let vcpuRange = 1...1024
  package static let memoryRangeMiB = 64...16_777_216
  package static let storageRangeGiB = 1...1_048_576
  package static let bandwidthRangeGB = 0...1_000_000_000
  /// 0 for no limit. The packet filter accepts no higher speed.
  package static let portSpeedRangeMbit = 0...100_000
  /// The range that both versions of control groups accept.
  package static let cpuWeightRange = 0...10_000
  package static let diskIOPSRange = 0...10_000_000
  package static let diskMiBPerSecondRange = 0...1_000_000
  package static let priceRange = Money.zero...Money(microunits: 1_000_000_000_000)
}

/// A plan that is to be added to the catalogue.
package struct NewPlan: Sendable, Equatable {
  package let name: String
  package let slug: String
  package let description: String
  package let vcpus: Int
  package let memoryMiB: Int
  package let storageGiB: Int
  package let bandwidthGB: Int
  package let portSpeedMbit: Int
  package let pricePerHour: Money
  /// The codes of the locations that offer it.
  package let locations: [String]
  package let cpuWeight: Int
  package let diskIOPS: Int
  package let diskMiBPerSecond: Int

  package init(
    name: String, slug: String, description: String, vcpus: Int, memoryMiB: Int, storageGiB: Int, bandwidthGB: Int,
    portSpeedMbit: Int = 0, pricePerHour: Money, locations: [String], cpuWeight: Int = 0, diskIOPS: Int = 0,
    diskMiBPerSecond: Int = 0
  ) {
    self.name = name
    self.slug = slug
    self.description = description
    self.vcpus = vcpus
    self.memoryMiB = memoryMiB
    self.storageGiB = storageGiB
    self.bandwidthGB = bandwidthGB
    self.portSpeedMbit = portSpeedMbit
    self.pricePerHour = pricePerHour
    self.locations = locations
    self.cpuWeight = cpuWeight
    self.diskIOPS = diskIOPS
    self.diskMiBPerSecond = diskMiBPerSecond
  }
}

/// Changes to a plan; nil leaves a field as it is.
package struct PlanChange: Sendable, Equatable {
  package var name: String?
  package var slug: String?
  package var description: String?
  package var vcpus: Int?
  package var memoryMiB: Int?
  package var storageGiB: Int?
  package var bandwidthGB: Int?
  package var portSpeedMbit: Int?
  package var pricePerHour: Money?
  package var locations: [String]?
  package var isAvailable: Bool?
  package var cpuWeight: Int?
  package var diskIOPS: Int?
  package var diskMiBPerSecond: Int?
  /// Whether servers that have the plan already pay the plan's new price from their next hour on.
  package var appliesToExisting = false

  package init() {}

  /// Whether the vCPUs, memory or storage of the plan would change.
  package func changesSize(of plan: Plan) -> Bool {
    (vcpus ?? plan.vcpus) != plan.vcpus || (memoryMiB ?? plan.memoryMiB) != plan.memoryMiB
      || (storageGiB ?? plan.storageGiB) != plan.storageGiB
  }
}

/// A plan after a change.
package struct UpdatedPlan: Sendable, Equatable {
  package let plan: Plan
  /// How many servers have another price from their next hour on.
  package let repricedServerCount: Int

  package init(plan: Plan, repricedServerCount: Int) {
    self.plan = plan
    self.repricedServerCount = repricedServerCount
  }
}

package import Foundation

/// A size of server and its price.
package struct Plan: Sendable, Equatable {
  package let id: ID<Plan>
  package let uuid: UUID
  package let name: String
  package let slug: String
  package let description: String
  package let vcpus: Int
  package let memoryMiB: Int
  package let storageGiB: Int
  /// The traffic that is included in a calendar month.
  package let bandwidthGB: Int
  /// The highest speed in each direction, in millions of bits a second; 0 for no limit.
  package let portSpeedMbit: Int
  package let pricePerHour: Money
  /// The codes of the locations that offer it.
  package let locations: [String]
  package let isAvailable: Bool
  /// The server's share of the host's processors when they are busy, relative to other servers; 0 for a share by its
  /// number of vCPUs.
  package let cpuWeight: Int
  /// 0 for no limit.
  package let diskIOPS: Int
  /// 0 for no limit.
  package let diskMiBPerSecond: Int

  package init(
    id: ID<Plan>, uuid: UUID, name: String, slug: String, description: String, vcpus: Int, memoryMiB: Int,
    storageGiB: Int, bandwidthGB: Int, portSpeedMbit: Int = 0, pricePerHour: Money, locations: [String],
    isAvailable: Bool, cpuWeight: Int = 0, diskIOPS: Int = 0, diskMiBPerSecond: Int = 0
  ) {
    self.id = id
    self.uuid = uuid
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
    self.isAvailable = isAvailable
    self.cpuWeight = cpuWeight
    self.diskIOPS = diskIOPS
    self.diskMiBPerSecond = diskMiBPerSecond
  }

  /// A month is 28 days of 24 hours, so that no month costs more than another.
  package var pricePerMonth: Money { pricePerHour * 672 }
}

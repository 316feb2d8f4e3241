package import struct Foundation.UUID

/// What the reconciler needs to know of a server.
package struct InventoryItem: Sendable, Equatable {
  package let id: ID<Server>
  package let uuid: UUID
  package let status: ServerStatus
  package let planID: ID<Plan>
  package let hasDisk: Bool
  /// Whether the system that it boots, its own or the rescue system, still has its first boot ahead.
  package let awaitsFirstBoot: Bool
  package let awaitsNewDisk: Bool
  package let isDeleted: Bool
  /// Whether an operation that may change its power is waiting or running.
  package let hasOperation: Bool
  /// Whether it runs the rescue system: the disk usage that is measured then is not the server's.
  package let isInRescue: Bool
  /// When the server was changed last, such as its status.
  package let updatedAt: Timestamp

  package init(
    id: ID<Server>, uuid: UUID, status: ServerStatus, planID: ID<Plan>, hasDisk: Bool,
    awaitsFirstBoot: Bool = false, awaitsNewDisk: Bool = false, isDeleted: Bool, hasOperation: Bool,
    isInRescue: Bool = false, updatedAt: Timestamp
  ) {
    self.id = id
    self.uuid = uuid
    self.status = status
    self.planID = planID
    self.hasDisk = hasDisk
    self.awaitsFirstBoot = awaitsFirstBoot
    self.awaitsNewDisk = awaitsNewDisk
    self.isDeleted = isDeleted
    self.hasOperation = hasOperation
    self.isInRescue = isInRescue
    self.updatedAt = updatedAt
  }
}

package import struct Foundation.UUID

/// What the reconciler needs to know of a server.
package struct InventoryItem: Sendable, Equatable {
  package let id: ID<Server>
  package let uuid: UUID
  package let status: ServerStatus
  package let planID: ID<Plan>
  package let hasDisk: Bool
  /// Of the system that runs.
  package let awaitsFirstBoot: Bool
  package let awaitsNewDisk: Bool
  package let isDeleted: Bool
  /// One that may change its power waits or runs.
  package let hasOperation: Bool
  /// Whether another system runs in the place of its own: what that uses of its disk is not the server's.
  package let isInRescue: Bool

  package init(
    id: ID<Server>, uuid: UUID, status: ServerStatus, planID: ID<Plan>, hasDisk: Bool,
    awaitsFirstBoot: Bool = false, awaitsNewDisk: Bool = false, isDeleted: Bool, hasOperation: Bool,
    isInRescue: Bool = false
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
  }
}

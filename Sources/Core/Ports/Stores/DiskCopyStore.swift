package import struct Foundation.UUID

/// Disk copies, for customers: a copy is invisible from the moment of the request to delete it.
package protocol DiskCopyStore: Sendable {
  /// The copies that match the filter, sorted as requested. Throws `notFound` if there is no such page.
  func diskCopies(
    _ family: DiskCopy.Family, of account: ID<Account>, filter: DiskCopyFilter, order: [ListOrder<DiskCopyKey>],
    page: PageRequest
  ) async throws -> Page<DiskCopy>
  func diskCopy(_ id: ID<DiskCopy>, _ family: DiskCopy.Family, of account: ID<Account>) async throws -> DiskCopy?
  func diskCopyID(_ uuid: UUID, of account: ID<Account>) async throws -> ID<DiskCopy>?

  /// Stores the copy, and queues the operation that makes it. Returns nil if there is no such server. Throws
  /// `wrongState` if the server has no disk and will not get one, is suspended, or is in rescue, and `permissionDenied`
  /// beyond its quota.
  func createDiskCopy(_ copy: NewDiskCopy, by caller: Caller, at now: Timestamp) async throws -> DiskCopy?

  /// Queues a `restore` from the copy. Returns nil if there is no such copy. Throws `wrongState` if the copy is not
  /// completed or the server cannot be changed now, and `conflict` while another restore of the server is unfinished.
  func requestRestore(
    of id: ID<DiskCopy>, _ family: DiskCopy.Family, by caller: Caller, at now: Timestamp
  ) async throws -> RequestedOperation?

  /// Hides the copy, cancels the operation that still makes it, and queues its `discard`. Returns its server; nil if
  /// there is no such copy.
  func requestDiscard(
    of id: ID<DiskCopy>, _ family: DiskCopy.Family, by caller: Caller, at now: Timestamp
  ) async throws -> ID<Server>?
}

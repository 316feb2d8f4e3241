package import struct Foundation.UUID

/// Copies of disks, for customers: a deleted one is not seen from the moment of the request.
package protocol DiskCopyStore: Sendable {
  /// Those that the filter lets through, in the order of the keys. Throws `notFound` where there is no such page.
  func diskCopies(
    _ family: DiskCopy.Family, of account: ID<Account>, filter: DiskCopyFilter, order: [ListOrder<DiskCopyKey>],
    page: PageRequest
  ) async throws -> Page<DiskCopy>
  func diskCopy(_ id: ID<DiskCopy>, _ family: DiskCopy.Family, of account: ID<Account>) async throws -> DiskCopy?
  func diskCopyID(_ uuid: UUID, of account: ID<Account>) async throws -> ID<DiskCopy>?

  /// Writes the copy, and queues the operation that makes it. Returns nil where there is no such server. Throws `wrongState`
  /// where it has no disk and will not get one, `permissionDenied` beyond the quota of the server.
  func createDiskCopy(_ copy: NewDiskCopy, by caller: Caller, at now: Timestamp) async throws -> DiskCopy?

  /// Queues a `restore` from the copy. Returns nil where there is no such copy. Throws `wrongState` where it is not
  /// completed, and `conflict` while another restore of the server is not over.
  func requestRestore(
    of id: ID<DiskCopy>, _ family: DiskCopy.Family, by caller: Caller, at now: Timestamp
  ) async throws -> RequestedOperation?

  /// Hides the copy, ends what is still making it, and queues its `discard`. Returns its server; nil where there is no such
  /// copy.
  func requestDiscard(
    of id: ID<DiskCopy>, _ family: DiskCopy.Family, by caller: Caller, at now: Timestamp
  ) async throws -> ID<Server>?
}

package import Core
import Foundation

/// All that a customer can do with backups or with snapshots, which differ in `family`.
package struct DiskCopies: Sendable {
  package static let descriptionRule = TextRule(maximumLength: 255)

  /// A copy as a customer asks for it.
  package struct Draft: Sendable {
    package var server: Reference<Server>?
    /// For snapshots only.
    package var name: String?
    package var description: String?
    /// Whether all fields could be read from the request. A field that could not be read is nil.
    package var isWhole: Bool

    package init(
      server: Reference<Server>?, name: String? = nil, description: String? = nil, isWhole: Bool = true
    ) {
      self.server = server
      self.name = name
      self.description = description
      self.isWhole = isWhole
    }
  }

  package let family: DiskCopy.Family
  package var toRead: Permission { Permission(family.resource, .read) }
  package var toChange: Permission { Permission(family.resource, .write) }
  private let store: any DiskCopyStore & ServerStore
  private let fleet: Fleet
  private let changes: Broadcast
  private let clock: any WallClock
  private let quota: Int?

  /// - Parameter quota: How many copies a server may have beside its automatic ones; nil for as many as its owner likes.
  package init(
    _ family: DiskCopy.Family, store: any DiskCopyStore & ServerStore, fleet: Fleet, changes: Broadcast,
    clock: any WallClock,
    quota: Int? = nil
  ) {
    self.family = family
    self.store = store
    self.fleet = fleet
    self.changes = changes
    self.clock = clock
    self.quota = quota
  }

  package func list(
    _ filter: DiskCopyFilter, order: [ListOrder<DiskCopyKey>] = [], page: PageRequest = .first, _ caller: Caller
  ) async throws -> Page<DiskCopy> {
    try caller.require(toRead)
    return try await store.diskCopies(family, of: caller.accountID, filter: filter, order: order, page: page)
  }

  /// Throws `notFound` for the uuid of a copy that is not the caller's.
  package func id(of reference: Reference<DiskCopy>, _ caller: Caller) async throws -> ID<DiskCopy> {
    switch reference {
    case .id(let id): return id
    case .uuid(let uuid):
      guard let id = try await store.diskCopyID(uuid, of: caller.accountID) else { throw Failure.notFound }
      return id
    }
  }

  /// Nil where the caller has no such server.
  package func serverID(of reference: Reference<Server>, _ caller: Caller) async throws -> ID<Server>? {
    switch reference {
    case .id(let id): try await store.server(id, of: caller.accountID)?.id
    case .uuid(let uuid): try await store.serverID(uuid, of: caller.accountID)
    }
  }

  package func read(_ id: ID<DiskCopy>, _ caller: Caller) async throws -> DiskCopy {
    try caller.require(toRead)
    return try await find(id, caller)
  }

  /// Throws `notFound` where the caller has no such copy.
  package func requireExists(_ id: ID<DiskCopy>, _ caller: Caller) async throws {
    _ = try await find(id, caller)
  }

  package func create(_ draft: Draft, _ caller: Caller) async throws -> DiskCopy {
    try caller.require(toChange)
    var errors = FieldErrors()
    var serverID: ID<Server>?
    if let reference = draft.server {
      serverID = try await self.serverID(of: reference, caller)
      if serverID == nil { errors.add(.server, ServerFields.unknownKey(reference)) }
    }
    let name = draft.name.flatMap { Self.name($0, &errors) }
    Self.descriptionRule.check(draft.description, .description, &errors)
    try errors.throwIfAny(orUnless: draft.isWhole)
    guard let serverID, family == .backup || name != nil else {
      throw Failure.internalError("A draft without errors lacks a field.")
    }
    let new = NewDiskCopy(
      uuid: .random(), serverID: serverID, name: family == .snapshot ? name : nil, description: draft.description ?? "",
      quota: quota)
    guard let copy = try await store.createDiskCopy(new, by: caller, at: clock.now) else { throw Failure.notFound }
    ring(serverID)
    return copy
  }

  /// Puts the copy in the place of its server's disk. A server that is active is shut down for it, and comes back.
  package func restore(_ id: ID<DiskCopy>, _ caller: Caller) async throws -> RequestedOperation {
    try caller.require(toChange)
    guard let requested = try await store.requestRestore(of: id, family, by: caller, at: clock.now) else {
      throw Failure.notFound
    }
    ring(requested.server.id)
    return requested
  }

  package func delete(_ id: ID<DiskCopy>, _ caller: Caller) async throws {
    try caller.require(toChange)
    guard let server = try await store.requestDiscard(of: id, family, by: caller, at: clock.now) else {
      throw Failure.notFound
    }
    ring(server)
  }

  /// Waits until the copy is not pending any more, the time is up or the service ends. Returns the newest state; that of a copy
  /// deleted meanwhile is the last one before its deletion.
  package func settled(_ copy: DiskCopy, within limit: Duration, _ caller: Caller) async throws -> DiskCopy {
    let deadline = clock.uptime + limit
    return try await changes.listen(to: copy.serverID) { bell in
      var newest = copy
      while !Task.isCancelled {
        guard let copy = try await store.diskCopy(copy.id, family, of: caller.accountID) else { break }
        newest = copy
        guard copy.status == .pending, clock.uptime < deadline, !changes.isOver else { break }
        await bell.wait(until: min(deadline, clock.uptime + Servers.longestSilence), clock: clock)
      }
      return newest
    }
  }

  private func find(_ id: ID<DiskCopy>, _ caller: Caller) async throws -> DiskCopy {
    guard let copy = try await store.diskCopy(id, family, of: caller.accountID) else { throw Failure.notFound }
    return copy
  }

  private static func name(_ text: String, _ errors: inout FieldErrors) -> CopyName? {
    if let name = CopyName(text) { return name }
    let rule = TextRule(maximumLength: CopyName.maximumLength)
    errors.add(.name, rule.lengthViolation(in: text) ?? "Enter a valid value.")
    return nil
  }

  /// Wakes the runners, and everybody who waits for this server.
  private func ring(_ server: ID<Server>) {
    fleet.ring()
    changes.tell(server)
  }
}

package import Core
import Foundation

/// The public keys of an account.
package struct SSHKeys: Sendable {
  package static let toRead = Permission(.sshKeys, .read)
  package static let toChange = Permission(.sshKeys, .write)
  package static let nameRule = TextRule(maximumLength: 255)

  /// A key as a customer asks for it.
  package struct Draft: Sendable {
    package var name: String?
    package var publicKey: String?
    /// Whether all fields could be read from the request. A field that could not be read is nil.
    package var isWhole: Bool

    package init(name: String?, publicKey: String?, isWhole: Bool = true) {
      self.name = name
      self.publicKey = publicKey
      self.isWhole = isWhole
    }
  }

  private let store: any SSHKeyStore
  private let clock: any WallClock
  private let quota: Int?

  /// - Parameter quota: How many keys an account may have; nil for as many as it likes.
  package init(store: any SSHKeyStore, clock: any WallClock, quota: Int? = nil) {
    self.store = store
    self.clock = clock
    self.quota = quota
  }

  package func list(
    named name: String? = nil, order: [ListOrder<SSHKeyKey>] = [], page: PageRequest = .first, _ caller: Caller
  ) async throws -> Page<SSHKey> {
    try caller.require(Self.toRead)
    return try await store.sshKeys(of: caller.accountID, named: name, order: order, page: page)
  }

  /// Throws `notFound` for the uuid of a key that is not the caller's.
  package func id(of reference: Reference<SSHKey>, _ caller: Caller) async throws -> ID<SSHKey> {
    switch reference {
    case .id(let id): return id
    case .uuid(let uuid):
      let found = try await store.sshKeyIDs([.uuid(uuid)], of: caller.accountID)
      guard let id = found[.uuid(uuid)] else { throw Failure.notFound }
      return id
    }
  }

  package func read(_ id: ID<SSHKey>, _ caller: Caller) async throws -> SSHKey {
    try caller.require(Self.toRead)
    guard let key = try await store.sshKey(id, of: caller.accountID) else { throw Failure.notFound }
    return key
  }

  package func create(_ draft: Draft, _ caller: Caller) async throws -> SSHKey {
    try caller.require(Self.toChange)
    var errors = FieldErrors()
    Self.nameRule.check(draft.name, .name, &errors)
    let publicKey = Self.publicKey(draft, &errors)
    try errors.throwIfAny(orUnless: draft.isWhole)
    guard let name = draft.name, let publicKey else {
      throw Failure.internalError("A draft without errors lacks a field.")
    }
    let key = NewSSHKey(
      uuid: UUID.random(), accountID: caller.accountID, name: name, fingerprint: publicKey.fingerprint,
      publicKey: publicKey.line, quota: quota)
    return try await store.createSSHKey(key, by: caller, at: clock.now)
  }

  private static func publicKey(_ draft: Draft, _ errors: inout FieldErrors) -> PublicKey? {
    guard let text = draft.publicKey else { return nil }
    do {
      return try PublicKey(text)
    } catch {
      errors.add(.publicKey, error.message)
      return nil
    }
  }

  package func delete(_ id: ID<SSHKey>, _ caller: Caller) async throws {
    try caller.require(Self.toChange)
    guard try await store.deleteSSHKey(id, by: caller, at: clock.now) else { throw Failure.notFound }
  }
}

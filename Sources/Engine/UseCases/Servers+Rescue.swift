package import Core

extension Servers {
  /// A rescue system as a customer asks for it.
  package struct RescueDraft: Sendable {
    package var sshKeys: KeyChoice
    /// Whether all fields could be read from the request.
    package var isWhole: Bool

    package init(sshKeys: KeyChoice = KeyChoice(), isWhole: Bool = true) {
      self.sshKeys = sshKeys
      self.isWhole = isWhole
    }
  }

  package struct RequestedRescue: Sendable {
    package let requested: RequestedOperation
    /// The root password of a rescue system without a key: shown this once, and kept nowhere.
    package let rootPassword: String?
  }

  /// Boots the rescue system instead of the server's own. The server is active afterwards, even if it was stopped.
  package func rescue(_ id: ID<Server>, _ draft: RescueDraft, _ caller: Caller) async throws -> RequestedRescue {
    try caller.require(Self.toChange)
    var errors = FieldErrors()
    let keys = try await find(draft.sshKeys, caller, &errors)
    try errors.throwIfAny(orUnless: draft.isWhole)
    let password = keys.isEmpty ? try RootPassword.random() : nil
    let rescue = NewRescue(sshKeyIDs: keys, rootPasswordHash: password?.hash)
    let requested = try await store.requestRescue(of: id, rescue, by: caller, at: clock.now)
    return RequestedRescue(requested: try announce(requested), rootPassword: password?.text)
  }

  /// Boots the server's own system again, unless it was off before.
  package func leaveRescue(_ id: ID<Server>, _ caller: Caller) async throws -> RequestedOperation {
    try caller.require(Self.toChange)
    return try announce(try await store.requestEndOfRescue(of: id, by: caller, at: clock.now))
  }
}

package import Foundation

/// A principal that asks for something, with all that is known of it: every use case takes one, and every row that it writes
/// remembers it.
package struct Caller: Sendable, Equatable {
  package let accountID: ID<Account>
  package let principal: Principal
  package let permissions: [Permission]
  /// Why the operator lets its account change nothing; nil where it may.
  package let suspensionReason: String?
  /// The claim of the repeatable request on whose behalf everything is changed, if there is one.
  package private(set) var requestClaim: UUID?
  /// The address that the request came from, where there is one.
  package private(set) var origin: String?

  package init(_ token: Token) {
    accountID = token.accountID
    principal = Principal(token)
    permissions = token.permissions
    suspensionReason = token.suspensionReason
  }

  package var tokenID: ID<Token> { principal.tokenID }

  package func under(_ claim: UUID) -> Caller {
    var caller = self
    caller.requestClaim = claim
    return caller
  }

  package func from(_ address: String) -> Caller {
    var caller = self
    caller.origin = address.isEmpty ? nil : address
    return caller
  }

  package func may(_ permission: Permission) -> Bool { permissions.contains { $0.covers(permission) } }

  package func require(_ permission: Permission) throws(Failure) {
    guard may(permission) else { throw .permissionDenied }
    if let suspensionReason, permission.action != .read, permission.resource != .operator {
      throw .accountSuspended(suspensionReason)
    }
  }
}

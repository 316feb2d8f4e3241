package import Foundation

/// A principal that asks for something, with all that is known of it: every use case takes one, and every row that it writes
/// remembers it.
package struct Caller: Sendable, Equatable {
  package private(set) var accountID: ID<Account>
  package let principal: Principal
  package private(set) var permissions: [Permission]
  /// Why the operator lets its account change nothing; nil where it may.
  package private(set) var suspensionReason: String?
  /// Whether it is an operator's program, and the account is the one that it works on: what customers are held to for their own sake,
  /// such as the protection of a server, does not bind it.
  package private(set) var isOperating = false
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

  /// Whose word an operation is, as its customer may read it; nil for the operator's.
  package var requesterID: ID<Token>? { isOperating ? nil : tokenID }

  /// The same program, at work on somebody's account. Only what an operator's token is for leads here.
  package func operating(on account: ID<Account>) -> Caller {
    var caller = self
    caller.accountID = account
    caller.permissions = [.everything]
    caller.suspensionReason = nil
    caller.isOperating = true
    return caller
  }

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

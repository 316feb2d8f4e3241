package import Foundation

/// A principal that makes a request, with all that is known of it. Every use case takes a caller, and the rows that it
/// writes record who that was.
package struct Caller: Sendable, Equatable {
  package private(set) var accountID: ID<Account>
  package let principal: Principal
  package private(set) var permissions: [Permission]
  /// Why the operator has suspended the account of the token, which may then change nothing; nil if it is not suspended.
  package let suspensionReason: String?
  /// Whether this is an operator's program, and the account is the one that it works on. Rules that protect customers
  /// from themselves, such as the delete protection of a server, do not bind it.
  package private(set) var isOperating = false
  /// The claim of the idempotent request that the changes are made for; nil if the request has no idempotency key.
  package private(set) var requestClaim: UUID?
  /// The IP address that the request came from; nil if there is none.
  package private(set) var origin: String?

  package init(_ token: Token) {
    accountID = token.accountID
    principal = Principal(token)
    permissions = token.permissions
    suspensionReason = token.suspensionReason
  }

  package var tokenID: ID<Token> { principal.tokenID }

  /// The token that the customer is shown as the requester of an operation; nil if an operator requested it.
  package var requesterID: ID<Token>? { isOperating ? nil : tokenID }

  /// The same program, at work on a customer's account. Call this only where an operator's token is required.
  package func operating(on account: ID<Account>) -> Caller {
    var caller = self
    caller.accountID = account
    caller.permissions = [.everything]
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
    if let suspensionReason, permission.action != .read {
      throw .accountSuspended(suspensionReason)
    }
  }
}

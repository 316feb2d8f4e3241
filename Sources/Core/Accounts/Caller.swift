package import Foundation

/// Who asks: every use case takes one, and every row it writes remembers it.
package struct Caller: Sendable, Equatable {
  package let accountID: ID<Account>
  package let tokenID: ID<Token>
  package let permissions: [Permission]
  /// The claim of the repeatable request on whose behalf everything is changed, if there is one.
  package private(set) var requestClaim: UUID?
  /// The address that the request came from, where there is one.
  package private(set) var origin: String?

  package init(accountID: ID<Account>, tokenID: ID<Token>, permissions: [Permission]) {
    self.accountID = accountID
    self.tokenID = tokenID
    self.permissions = permissions
  }

  package init(_ token: Token) {
    self.init(accountID: token.accountID, tokenID: token.id, permissions: token.permissions)
  }

  package var principal: Principal { .token(tokenID) }

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
  }
}

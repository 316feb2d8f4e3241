/// A server as an operator sees it.
package struct ServerListing: Sendable, Equatable {
  package let server: Server
  /// The e-mail address of its account.
  package let email: String
  /// The name of its host.
  package let host: String
  /// The server's own price per hour, which may differ from its plan's present price.
  package let pricePerHour: Money
  /// Since when customers cannot see it; nil if they can.
  package let deletedAt: Timestamp?
  /// Why the server is in `error`, for the operator; nil in any other status.
  package let failure: String?
  /// Why the operator has suspended it; may be empty, and is nil if it is not suspended.
  package let suspensionReason: String?

  package init(
    server: Server, email: String, host: String, pricePerHour: Money, deletedAt: Timestamp?, failure: String?,
    suspensionReason: String? = nil
  ) {
    self.server = server
    self.email = email
    self.host = host
    self.pricePerHour = pricePerHour
    self.deletedAt = deletedAt
    self.failure = failure
    self.suspensionReason = suspensionReason
  }
}

/// Selects servers of all accounts; a field that is nil matches every server.
package struct ServerListingFilter: Sendable, Equatable {
  package var accountID: ID<Account>?
  package var status: ServerStatus?
  package var location: String?
  package var hostID: ID<Host>?
  /// A prefix of the name, ignoring case.
  package var beginning: String?
  /// The whole name, ignoring case.
  package var name: String?

  package init() {}
}

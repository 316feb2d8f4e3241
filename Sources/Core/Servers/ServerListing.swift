/// A server as an operator sees it.
package struct ServerListing: Sendable, Equatable {
  package let server: Server
  /// Its account's.
  package let email: String
  /// The name of its host.
  package let host: String
  /// What an hour of it costs, whatever its plan costs now.
  package let pricePerHour: Money
  /// Since when no customer sees it; nil where they do.
  package let deletedAt: Timestamp?
  /// What the operator needs to know of one in `error`.
  package let failure: String?
  /// Why the operator has suspended it; may be empty, and is nil where that is not so.
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

/// Which servers of all accounts; nil for any.
package struct ServerListingFilter: Sendable, Equatable {
  package var accountID: ID<Account>?
  package var status: ServerStatus?
  package var location: String?
  package var hostID: ID<Host>?
  /// How their names begin, whatever the case of the letters.
  package var beginning: String?
  /// The whole of their names, in the same way.
  package var name: String?

  package init() {}
}

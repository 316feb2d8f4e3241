/// What a console ticket stands for.
package struct ConsoleGrant: Sendable, Equatable {
  package let serverID: ID<Server>
  package let accountID: ID<Account>
  package let tokenID: ID<Token>

  package init(serverID: ID<Server>, accountID: ID<Account>, tokenID: ID<Token>) {
    self.serverID = serverID
    self.accountID = accountID
    self.tokenID = tokenID
  }
}

/// Unused console tickets, by the hashes of their texts. A ticket opens one console, once, at any service of the
/// database.
package protocol ConsoleTicketStore: Sendable {
  /// - Parameter limit: How many valid tickets the server may have; the oldest ones beyond that are deleted. Nil for no
  ///   limit.
  func keep(
    _ grant: ConsoleGrant, ticketHash: String, until deadline: Timestamp, atMost limit: Int?, at now: Timestamp
  ) async throws
  /// Uses the ticket up. Nil if there is none, or if it has expired.
  func useConsoleTicket(hash: String, at now: Timestamp) async throws -> ConsoleGrant?
}

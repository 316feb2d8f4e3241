/// What a ticket of a console stands for.
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

/// Tickets of consoles that nobody has used, by the hashes of their texts: each opens one console, once, at any of the services.
package protocol ConsoleTicketStore: Sendable {
  /// - Parameter limit: How many of the server are good: the oldest ones go. Nil for as many as there are.
  func keep(
    _ grant: ConsoleGrant, ticketHash: String, until deadline: Timestamp, atMost limit: Int?, at now: Timestamp
  ) async throws
  /// Uses it up. Nil where there is none that is good.
  func useConsoleTicket(hash: String, at now: Timestamp) async throws -> ConsoleGrant?
}

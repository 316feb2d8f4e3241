/// What happened to servers, for those who listen.
package protocol EventStore: Sendable {
  func keptEvents() async throws -> EventRange
  /// Ordered by id.
  func events(of account: ID<Account>, after id: Int64, limit: Int) async throws -> [ServerEvent]
}

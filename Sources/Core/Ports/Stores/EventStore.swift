/// What happened to servers, for clients that listen to events.
package protocol EventStore: Sendable {
  func keptEvents() async throws -> EventRange
  /// Ordered by id.
  func events(of account: ID<Account>, after id: Int64, limit: Int) async throws -> [ServerEvent]
}

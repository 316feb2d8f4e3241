/// What servers used, as it was: for a month.
package protocol MetricStore: Sendable {
  /// Adds what was measured in a minute; what there is of the same minute is replaced. What is too old goes.
  func recordMetrics(_ metrics: [ID<Server>: Metric]) async throws
  /// In the order of time: pieces in which nothing was measured are left out. Nil where the account has no such server.
  func metrics(of id: ID<Server>, of account: ID<Account>, in range: MetricRange) async throws -> [Metric]?
}

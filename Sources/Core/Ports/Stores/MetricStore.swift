/// The history of what servers used, for a month.
package protocol MetricStore: Sendable {
  /// Adds the measurements of a minute, replacing earlier ones of the same minute. Measurements that are too old are
  /// deleted.
  func recordMetrics(_ metrics: [ID<Server>: Metric]) async throws
  /// In the order of time; steps without any measurement are left out. Nil if the account has no such server.
  func metrics(of id: ID<Server>, of account: ID<Account>, in range: MetricRange) async throws -> [Metric]?
}

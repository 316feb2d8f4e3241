package import Core

/// All that operators can do in the panel, which is no more than they can do on the host.
package struct Operators: Sendable {
  package let accounts: OperatorAccounts
  package let servers: OperatorServers
  package let hosts: OperatorHosts
  private let store: any OperatorStore

  package init(store: any OperatorAccounts.Stores & OperatorServers.Stores & HostStore, clock: any WallClock) {
    accounts = OperatorAccounts(store: store, clock: clock)
    servers = OperatorServers(store: store, clock: clock)
    hosts = OperatorHosts(store: store, clock: clock)
    self.store = store
  }

  /// What anybody changed or asked for, newest first.
  package func auditTrail(
    _ filter: AuditFilter, before last: ID<AuditEntry>? = nil, limit: Int
  ) async throws -> [AuditEntry] {
    try await store.auditTrail(filter, before: last, limit: limit)
  }
}

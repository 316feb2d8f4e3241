package import Core

/// All that operators can do in the panel and with their programs, which is no more than they can do on the host.
package struct Operators: Sendable {
  package static let toRead = Permission(.operator, .read)
  package static let toChange = Permission(.operator, .write)

  package let accounts: OperatorAccounts
  package let servers: OperatorServers
  package let catalogue: OperatorCatalogue
  package let hosts: OperatorHosts
  package let images: OperatorImages
  private let store: any OperatorStore

  package init(
    store: any OperatorAccounts.Stores & OperatorServers.Stores & HostStore & OfferStore & StatementStore,
    fleet: Fleet = Fleet([]), clock: any WallClock
  ) {
    accounts = OperatorAccounts(store: store, clock: clock)
    servers = OperatorServers(store: store, clock: clock)
    catalogue = OperatorCatalogue(store: store, clock: clock)
    hosts = OperatorHosts(store: store, clock: clock)
    images = OperatorImages(store: store, fleet: fleet)
    self.store = store
  }

  /// The audit entries of all accounts and operators, newest first.
  package func auditTrail(
    _ filter: AuditFilter, before last: ID<AuditEntry>? = nil, limit: Int
  ) async throws -> [AuditEntry] {
    try await store.auditTrail(filter, before: last, limit: limit)
  }

  package func auditTrail(
    _ filter: AuditFilter, isNewestFirst: Bool, page: PageRequest
  ) async throws -> Page<AuditEntry> {
    try await store.auditPage(filter, isNewestFirst: isNewestFirst, page: page)
  }
}

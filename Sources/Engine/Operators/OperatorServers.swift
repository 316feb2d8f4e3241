package import Core

/// What operators do with servers: with a command on the host, in the panel, or with a program.
package struct OperatorServers: Sendable {
  package typealias Stores = CatalogueStore & OperatorStore & ServerStore & StatementStore

  private let store: any Stores
  private let clock: any WallClock

  package init(store: any Stores, clock: any WallClock) {
    self.store = store
    self.clock = clock
  }

  /// Newest first; by name where the filter has the beginning of a name.
  package func list(
    _ filter: ServerListingFilter, after last: ID<Server>? = nil, limit: Int
  ) async throws -> [ServerListing] {
    try await store.serverPage(filter, after: last, limit: limit)
  }

  /// Only servers that their customers still see.
  package func list(
    _ filter: ServerListingFilter, order: [ListOrder<ServerKey>] = [], page: PageRequest = .first
  ) async throws -> Page<ServerListing> {
    try await store.serverPage(filter, order: order, page: page)
  }

  /// One server that its customer still sees; throws `notFound` for any other.
  package func visible(_ reference: Reference<Server>) async throws -> ServerListing {
    guard let listing = try await store.serverListing(reference), listing.deletedAt == nil else {
      throw Failure.notFound
    }
    return listing
  }

  /// What a server has cost in a month, and what it uses now.
  ///
  /// - Parameter month: Nil for the current month.
  package func usage(
    of server: Server, in month: CalendarMonth?
  ) async throws -> (month: CalendarMonth, cost: ServerCost, usage: ResourceUsage) {
    guard let month = month ?? CalendarMonth(clock.now) else {
      throw Failure.internalError("The clock shows no month.")
    }
    let before = PageRequest(.after(server.id.value - 1, isDescending: false), size: 1)
    let paid = try await store.statement(of: server.accountID, for: month, page: before).servers.elements.first
    let usage = try await store.usage(of: server.id) ?? .none
    if let paid, paid.serverID == server.id { return (month, paid, usage) }
    let plan = try await store.catalogue().plan(server.planID)
    let nothing = ServerCost(
      serverID: server.id, name: server.name, plan: plan?.name ?? "", hours: 0, amount: .zero, backups: .zero,
      trafficGB: usage.month == month.number ? usage.bandwidthUsedGB : 0, traffic: .zero, deletedAt: nil)
    return (month, nothing, usage)
  }

  package func find(_ id: ID<Server>) async throws -> ServerListing? { try await store.serverListing(.id(id)) }

  package func read(_ id: ID<Server>) async throws -> ServerListing {
    guard let listing = try await find(id) else { throw Failure.notFound }
    return listing
  }

  /// The server's operations, newest first; empty while the server is being deleted.
  package func history(of server: Server, limit: Int) async throws -> [OperationRecord] {
    let page = try await store.history(
      of: server.id, of: server.accountID, isNewestFirst: true, page: PageRequest(.number(1), size: limit))
    return page?.elements ?? []
  }

  package func catalogue() async throws -> Catalogue { try await store.catalogue() }

  /// Which versions of which systems servers were made from.
  package func systemUses() async throws -> [SystemUse] { try await store.systemUses() }

  package func perform(_ action: PowerAction, on id: ID<Server>, by operator: Operator) async throws {
    guard try await store.requestAction(action, on: id, by: `operator`, at: clock.now) != nil else {
      throw Failure(.wrongState, "The server \(id) is being deleted.")
    }
  }

  /// Deletes the server even where its customer has protected it from deletion.
  package func delete(_ id: ID<Server>, by operator: Operator) async throws {
    guard try await store.requestDeletion(of: id, by: `operator`, at: clock.now) else {
      throw Failure(.wrongState, "The server \(id) is being deleted already.")
    }
  }

  /// - Parameter reason: Kept with the server and in the audit trail; nil lifts the suspension.
  package func suspend(_ id: ID<Server>, because reason: String?, by operator: Operator) async throws {
    try OperatorAccounts.check(reason: reason)
    guard try await store.suspend(server: id, because: reason, by: `operator`, at: clock.now) else {
      throw Failure(.wrongState, "The server \(id) is being deleted.")
    }
  }
}

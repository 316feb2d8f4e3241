package import Core

/// What an account has paid, and for what, for those who may read it.
package struct Statements: Sendable {
  package static let toRead = Permission(.account, .read)

  private let store: any StatementStore
  private let clock: any WallClock
  /// The currency of all amounts.
  package let currency: String

  package init(store: any StatementStore, clock: any WallClock, currency: String = Tariff().currency) {
    self.store = store
    self.clock = clock
    self.currency = currency
  }

  package func ledger(
    in month: CalendarMonth?, order: [ListOrder<LedgerKey>], page: PageRequest, _ caller: Caller
  ) async throws -> Page<LedgerEntry> {
    try caller.require(Self.toRead)
    return try await store.ledger(of: caller.accountID, in: month, order: order, page: page)
  }

  /// - Parameter month: Nil for the current month.
  package func statement(
    for month: CalendarMonth?, page: PageRequest, _ caller: Caller
  ) async throws -> MonthlyStatement {
    try caller.require(Self.toRead)
    guard let month = month ?? CalendarMonth(clock.now) else {
      throw Failure.internalError("The clock shows no month.")
    }
    return try await store.statement(of: caller.accountID, for: month, page: page)
  }
}

/// What an account has paid, and what for.
package protocol StatementStore: Sendable {
  /// - Parameter month: Only entries that were written in it; nil for all.
  ///
  /// Throws `notFound` if there is no such page.
  func ledger(
    of account: ID<Account>, in month: CalendarMonth?, order: [ListOrder<LedgerKey>], page: PageRequest
  ) async throws -> Page<LedgerEntry>
  /// The servers are ordered by id. Throws `notFound` if there is no such page of them.
  func statement(
    of account: ID<Account>, for month: CalendarMonth, page: PageRequest
  ) async throws -> MonthlyStatement
}

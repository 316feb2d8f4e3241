import Core

/// A database that the SQL of this store is said to.
protocol SQLDatabase: Sendable {
  /// What the body reads is of one moment.
  func read<Value: Sendable>(
    _ body: @escaping @Sendable (any SQLConnection) throws -> Value
  ) async throws -> Value

  /// Carries the body out in a transaction, and returns once nothing can undo it. A body that throws leaves nothing behind.
  ///
  /// No two transactions that write overlap, whoever's they are: whatever is read in one stays true until its end, and the order
  /// of the numbers that rows are given is the order in which they are seen.
  func write<Value: Sendable>(
    _ body: @escaping @Sendable (any SQLConnection) throws -> Value
  ) async throws -> Value

  func changesElsewhere() -> AsyncStream<StoreChange>
  func backUp(to path: String) async throws
  func release() throws
}

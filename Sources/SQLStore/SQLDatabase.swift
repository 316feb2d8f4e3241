import Core

/// A database that carries out the SQL of this store.
protocol SQLDatabase: Sendable {
  /// Runs the body in one snapshot.
  func read<Value: Sendable>(
    _ body: @escaping @Sendable (any SQLConnection) throws -> Value
  ) async throws -> Value

  /// Carries the body out in a transaction, and returns once nothing can undo it. A body that throws leaves nothing behind.
  ///
  /// No two writing transactions overlap, in whichever process: what is read in one stays true until its end, and rows become
  /// visible in the order of their ids.
  func write<Value: Sendable>(
    _ body: @escaping @Sendable (any SQLConnection) throws -> Value
  ) async throws -> Value

  /// As `SQLStore.changeMark`.
  var changeMark: (@Sendable () -> Int64?)? { get }

  func changesElsewhere() -> AsyncStream<StoreChange>
  func backUp(to path: String) async throws
  func release() throws
}

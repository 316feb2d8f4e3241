/// A copy of all rows of a database into an empty one of the other kind. Every row is compared before the copy is committed.
/// The source stays as it is, but for a server's mark that no service is to begin on it again.
package struct StoreMove: Sendable {
  package let tableCount: Int
  package let rowCount: Int

  /// Copies a file to a server in one transaction, which also makes the tables where there are none.
  ///
  /// Throws `UnfitState` where the file cannot be served, and `UnfitTarget` where the server's database holds anything.
  package static func move(file path: String, to address: PostgreSQLAddress) async throws -> StoreMove {
    try await requireServable(.file(path))
    return try await withServer(address) { server in
      try SQLiteDatabase.exclusively(path) { file in
        try ServerTarget(server, address).take(from: file)
      }
    }
  }

  /// Copies a server's database to a new file, which only its owner can read and which appears when it is complete.
  ///
  /// Throws `UnfitState` where the server's database cannot be served or was moved before, and `UnfitTarget` where there is
  /// anything at the path.
  package static func move(_ address: PostgreSQLAddress, toFile path: String) async throws -> StoreMove {
    try await requireServable(.server(address))
    return try await withServer(address) { server in try FileTarget(path).take(from: server) }
  }

  private static func requireServable(_ location: DatabaseLocation) async throws {
    let store = try await SQLStore.open(location, .asItIs)
    do {
      guard try await store.isBootstrapped() else { throw UnfitState("It holds no account.") }
      let contradictions = try await store.contradictions()
      guard contradictions.isEmpty else {
        throw UnfitState("It contradicts itself: " + contradictions.joined(separator: "; "))
      }
      try store.release()
    } catch {
      try? store.release()
      throw error
    }
  }

  /// Takes the lock of the only service, so that no service uses the database meanwhile.
  private static func withServer(
    _ address: PostgreSQLAddress, _ body: @escaping @Sendable (PostgreSQLConnection) throws -> StoreMove
  ) async throws -> StoreMove {
    let thread = ConnectionThreads(name: "database move", width: 1) {
      let connection = try PostgreSQLConnection(address)
      try AdvisoryLock.service.take(on: connection, isShared: false, address)
      return connection
    }
    defer { thread.close() }
    do {
      return try await thread.run { session in try body(try session.connected()) }
    } catch let error as PostgreSQLError {
      throw UnusableDatabase(address, error)
    }
  }

  /// Throws where a row of the file is not the same on the server.
  ///
  /// - Returns: The number of rows.
  static func compare(
    _ table: MovedTable, file: any SQLConnection, server: PostgreSQLConnection
  ) throws -> Int {
    let cursor = try PostgreSQLCursor(server, table.selection(from: true))
    var others: ArraySlice<[SQLValue]> = []
    var count = 0
    try file.query(table.selection(from: false), [], isKept: false) { reader in
      let row = try table.row(&reader)
      if others.isEmpty { others = try cursor.next(table.row)[...] }
      count += 1
      guard others.popFirst() == row else { throw DifferentRow(table: table.name, number: count) }
    }
    guard try others.isEmpty && cursor.next(table.row).isEmpty else {
      throw DifferentRow(table: table.name, number: count + 1)
    }
    try cursor.close()
    return count
  }
}

/// Why a database cannot be the target of a copy.
package struct UnfitTarget: Error, CustomStringConvertible {
  package let description: String

  init(_ reason: String) {
    description = reason
  }
}

/// A copied row that differs from its source. No such case is known.
package struct DifferentRow: Error, CustomStringConvertible {
  let table: String
  /// In the order of the table's key.
  let number: Int

  package var description: String {
    "Row \(number) of the table \(table) was not the same in both databases. Nothing was kept."
  }
}

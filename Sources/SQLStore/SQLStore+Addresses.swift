package import Core

extension SQLStore {
  package func addresses(after last: IPv4Address?, limit: Int) async throws -> [AddressRecord] {
    try await read { database in
      try database.all(
        """
        SELECT \(AddressRecord.columns) FROM address WHERE family = 4 AND number > ? ORDER BY number LIMIT ?
        """,
        [last.map { Int64($0.number) } ?? -1, limit])
    }
  }

  package func tenures(of address: IPv4Address, newest count: Int) async throws -> [AddressTenure] {
    try await read { database in
      try database.all(
        """
        SELECT \(AddressTenure.columns) FROM address_history AS history
        JOIN server ON server.id = history.server_id JOIN account ON account.id = history.account_id
        WHERE history.family = 4 AND history.bytes = ? ORDER BY history.id DESC LIMIT ?
        """,
        [address.bytes, count])
    }
  }
}

extension AddressRecord: RowReadable {
  static let columns = "number, location, server_id, assigned_at, released_at"

  init(from row: inout RowReader) throws {
    self.init(
      address: try row.next(), location: try row.next(), serverID: try row.next(), assignedAt: try row.next(),
      releasedAt: try row.next())
  }
}

extension AddressTenure: RowReadable {
  static let columns = "history.server_id, server.name, account.email, history.assigned_at, history.released_at"

  init(from row: inout RowReader) throws {
    self.init(
      serverID: try row.next(), serverName: try row.next(), email: try row.next(), assignedAt: try row.next(),
      releasedAt: try row.next())
  }
}

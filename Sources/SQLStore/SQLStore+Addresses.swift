package import Core

extension SQLStore {
  package func addresses(after last: ServerAddress?, limit: Int) async throws -> [AddressRecord] {
    try await read { database in
      try database.all(
        """
        SELECT \(AddressRecord.columns) FROM address WHERE (family, number) > (?, ?) ORDER BY family, number LIMIT ?
        """,
        [last?.family ?? 0, last?.given, limit])
    }
  }

  package func tenures(of address: ServerAddress, newest count: Int) async throws -> [AddressTenure] {
    try await read { database in
      try database.all(
        """
        SELECT \(AddressTenure.columns) FROM address_history AS history
        JOIN server ON server.id = history.server_id JOIN account ON account.id = history.account_id
        WHERE history.family = ? AND history.bytes = ? ORDER BY history.id DESC LIMIT ?
        """,
        [address.family, address.bytes, count])
    }
  }
}

extension AddressRecord: RowReadable {
  static let columns = "family, number, location, server_id, assigned_at, released_at"

  init(from row: inout RowReader) throws {
    let address: ServerAddress =
      try row.next(Int.self) == IPv4Address.family ? .ipv4(try row.next()) : .ipv6(try row.next())
    self.init(
      address: address, location: try row.next(), serverID: try row.next(), assignedAt: try row.next(),
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

extension ServerAddress {
  fileprivate var given: any GivenAddress {
    switch self {
    case .ipv4(let address): address
    case .ipv6(let network): network
    }
  }

  fileprivate var family: Int { type(of: given).family }
  fileprivate var bytes: [UInt8] { given.bytes }
}

import Core

enum ReverseNameSetting {
  /// There is a row while changes of names are written down.
  static let key = "reverse_names"
}

extension AddressName: RowReadable {
  static let columns = "\(ServerAddress.columns), location, ptr, server_id"

  init(from row: inout RowReader) throws {
    self.init(
      address: try row.address(), location: try row.next(), name: try row.next(),
      isGiven: try row.next(ID<Server>?.self) != nil)
  }
}

extension NameChange: RowReadable {
  static let columns = """
    address.family, address.base, address.number, address.location, address.ptr, address.server_id, change.revision, \
    change.attempts
    """

  init(from row: inout RowReader) throws {
    self.init(wanted: try AddressName(from: &row), revision: try row.next(), attempts: try row.next())
  }
}

extension SQLConnection {
  func areReverseNamesSaid() throws -> Bool {
    try value(String.self, "SELECT value FROM setting WHERE key = ?", [ReverseNameSetting.key]) != nil
  }

  /// To be called in the transaction in which the address becomes another's, or is called otherwise.
  func queueName(_ family: ServerAddress.Family, _ bytes: [UInt8], at now: Timestamp) throws {
    guard try areReverseNamesSaid() else { return }
    try run(
      """
      INSERT INTO reverse_change (family, bytes, revision, not_before, scheduled_at) VALUES (?, ?, 1, ?, ?)
      ON CONFLICT (family, bytes) DO UPDATE SET revision = reverse_change.revision + 1, attempts = 0,
        not_before = excluded.not_before, scheduled_at = excluded.scheduled_at, failure = NULL
      """,
      [family, bytes, now, now])
  }
}

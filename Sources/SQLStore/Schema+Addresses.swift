import Core

extension Schema {
  /// Addresses of both families, which stay known when they are released, and who had them.
  ///
  /// SQLite can neither loosen a constraint nor move a key: the table is made anew, with all its rows.
  static func migrateToAddresses(_ database: some SQLConnection) throws {
    try database.runScript(addresses)
    let given = try database.rows(
      """
      SELECT address.number, server.id, server.account_id, server.location, server.created_at
      FROM address JOIN server ON server.id = address.server_id
      """,
      [], isKept: false
    ) { row in
      (
        number: try row.next(IPv4Address.self), server: try row.next(ID<Server>.self),
        account: try row.next(ID<Account>.self), location: try row.next(String.self),
        since: try row.next(Timestamp.self)
      )
    }
    for one in given {
      try database.run(
        """
        INSERT INTO new_address (family, number, bytes, prefix_length, location, server_id, assigned_at)
        VALUES (4, ?, ?, 32, ?, ?, ?)
        """,
        [one.number, one.number.bytes, one.location, one.server, one.since])
      try database.run(
        """
        INSERT INTO address_history (family, bytes, prefix_length, location, server_id, account_id, assigned_at)
        VALUES (4, ?, 32, ?, ?, ?, ?)
        """,
        [one.number.bytes, one.location, one.server, one.account, one.since])
    }
    try database.runScript(addressesTakePlace)
  }

  private static let addresses = """
    -- Every address that was ever given: one that nobody has was released, and is given again after all others.
    CREATE TABLE new_address (
      id INTEGER PRIMARY KEY AUTOINCREMENT,
      family INTEGER NOT NULL CHECK (family IN (4, 6)),
      -- What orders the addresses of a family: an IPv4 address itself, the first 64 bits of an IPv6 network.
      number INTEGER NOT NULL,
      bytes BLOB NOT NULL,
      prefix_length INTEGER NOT NULL,
      location TEXT NOT NULL,
      server_id INTEGER REFERENCES server (id),
      -- The name that its customer has given it; none for the default.
      ptr TEXT,
      assigned_at INTEGER NOT NULL,
      released_at INTEGER,
      UNIQUE (family, bytes),
      CHECK ((server_id IS NULL) = (released_at IS NOT NULL)),
      CHECK (LENGTH(bytes) = CASE family WHEN 4 THEN 4 ELSE 16 END)
    ) STRICT;

    CREATE TABLE address_history (
      id INTEGER PRIMARY KEY AUTOINCREMENT,
      family INTEGER NOT NULL CHECK (family IN (4, 6)),
      bytes BLOB NOT NULL,
      prefix_length INTEGER NOT NULL,
      location TEXT NOT NULL,
      server_id INTEGER NOT NULL REFERENCES server (id),
      account_id INTEGER NOT NULL REFERENCES account (id),
      assigned_at INTEGER NOT NULL,
      released_at INTEGER
    ) STRICT;
    CREATE INDEX address_history_of_address ON address_history (family, bytes, id);
    CREATE INDEX address_history_released ON address_history (released_at) WHERE released_at IS NOT NULL;
    CREATE UNIQUE INDEX address_history_open ON address_history (server_id, family, bytes) WHERE released_at IS NULL;
    """

  private static let addressesTakePlace = """
    DROP TABLE address;
    ALTER TABLE new_address RENAME TO address;
    CREATE UNIQUE INDEX address_number ON address (family, number);
    CREATE UNIQUE INDEX address_of_server ON address (server_id, family) WHERE server_id IS NOT NULL;
    CREATE INDEX address_released ON address (family, released_at, number) WHERE server_id IS NULL;
    """
}

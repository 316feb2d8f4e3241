extension Schema {
  /// Since when a name waits for its DNS server; and names of other addresses in a server's network.
  static let networkNames = """
    -- When it became another one than the DNS server was told last.
    ALTER TABLE reverse_change ADD COLUMN queued_at INTEGER NOT NULL DEFAULT 0;
    UPDATE reverse_change SET queued_at = scheduled_at;

    -- A row without a server is one whose name the DNS server is still to forget.
    CREATE TABLE network_name (
      bytes BLOB NOT NULL PRIMARY KEY CHECK (LENGTH(bytes) = 16),
      -- As in `address`: what the number of the network is there, and what orders the addresses in it.
      base INTEGER NOT NULL,
      number INTEGER NOT NULL,
      location TEXT NOT NULL,
      server_id INTEGER REFERENCES server (id),
      ptr TEXT,
      UNIQUE (base, number),
      CHECK ((server_id IS NULL) = (ptr IS NULL))
    ) STRICT;
    CREATE INDEX network_name_of_server ON network_name (server_id) WHERE server_id IS NOT NULL;
    """
}

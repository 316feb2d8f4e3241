extension Schema {
  /// The firewalls of servers; a server without a row has none.
  static let firewalls = """
    CREATE TABLE server_firewall (
      server_id INTEGER PRIMARY KEY REFERENCES server (id),
      is_enabled INTEGER NOT NULL CHECK (is_enabled IN (0, 1)),
      -- A list in JSON, as the domain writes its rules.
      rules TEXT NOT NULL,
      -- Counts the changes.
      revision INTEGER NOT NULL CHECK (revision > 0),
      -- The newest one that the host is known to have taken over; 0 for none.
      applied_revision INTEGER NOT NULL DEFAULT 0 CHECK (applied_revision >= 0),
      updated_at INTEGER NOT NULL,
      CHECK (applied_revision <= revision)
    ) STRICT;
    CREATE INDEX server_firewall_awaiting ON server_firewall (server_id) WHERE applied_revision < revision;
    """
}

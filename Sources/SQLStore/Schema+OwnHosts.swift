extension Schema {
  /// Hosts that only the service on their machine has, and what other services leave to it.
  static let ownHosts = """
    -- Of the only service that has the host; none where every service has it.
    ALTER TABLE host ADD COLUMN data_directory_id TEXT;
    -- Where browsers reach that service.
    ALTER TABLE host ADD COLUMN url TEXT;
    ALTER TABLE host ADD COLUMN enforces_firewalls INTEGER NOT NULL DEFAULT 0 CHECK (enforces_firewalls IN (0, 1));

    CREATE TABLE password_reset (
      server_id INTEGER PRIMARY KEY REFERENCES server (id),
      username TEXT NOT NULL,
      -- By crypt(3).
      hash TEXT NOT NULL,
      asked_at INTEGER NOT NULL,
      expires_at INTEGER NOT NULL,
      -- 'done', or the kind of failure; none while nobody has said.
      outcome TEXT,
      customer_reason TEXT
    ) STRICT;
    """
}

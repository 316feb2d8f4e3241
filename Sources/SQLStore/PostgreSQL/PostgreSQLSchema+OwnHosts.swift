extension PostgreSQLSchema {
  /// As `Schema.ownHosts`.
  static let ownHosts = """
    ALTER TABLE host ADD COLUMN data_directory_id TEXT COLLATE "C";
    ALTER TABLE host ADD COLUMN url TEXT COLLATE "C";
    ALTER TABLE host ADD COLUMN enforces_firewalls BIGINT NOT NULL DEFAULT 0 CHECK (enforces_firewalls IN (0, 1));

    CREATE TABLE password_reset (
      server_id BIGINT PRIMARY KEY REFERENCES server (id),
      username TEXT COLLATE "C" NOT NULL,
      hash TEXT COLLATE "C" NOT NULL,
      asked_at BIGINT NOT NULL,
      expires_at BIGINT NOT NULL,
      outcome TEXT COLLATE "C",
      customer_reason TEXT COLLATE "C"
    );
    """
}

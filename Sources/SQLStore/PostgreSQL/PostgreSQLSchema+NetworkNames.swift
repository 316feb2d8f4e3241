extension PostgreSQLSchema {
  /// As `Schema.networkNames`.
  static let networkNames = """
    ALTER TABLE reverse_change ADD COLUMN queued_at BIGINT NOT NULL DEFAULT 0;
    UPDATE reverse_change SET queued_at = scheduled_at;

    CREATE TABLE network_name (
      bytes BYTEA NOT NULL PRIMARY KEY CHECK (LENGTH(bytes) = 16),
      base BIGINT NOT NULL,
      number BIGINT NOT NULL,
      location TEXT COLLATE "C" NOT NULL,
      server_id BIGINT REFERENCES server (id),
      ptr TEXT COLLATE "C",
      UNIQUE (base, number),
      CHECK ((server_id IS NULL) = (ptr IS NULL))
    );
    CREATE INDEX network_name_of_server ON network_name (server_id) WHERE server_id IS NOT NULL;
    """
}

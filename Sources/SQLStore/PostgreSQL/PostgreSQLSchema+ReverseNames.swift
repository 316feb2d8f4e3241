extension PostgreSQLSchema {
  /// As `Schema.reverseNames`.
  static let reverseNames = """
    CREATE TABLE reverse_change (
      family BIGINT NOT NULL CHECK (family IN (4, 6)),
      bytes BYTEA NOT NULL,
      revision BIGINT NOT NULL,
      attempts BIGINT NOT NULL DEFAULT 0,
      not_before BIGINT NOT NULL,
      scheduled_at BIGINT NOT NULL,
      failure TEXT COLLATE "C",
      PRIMARY KEY (family, bytes)
    );
    CREATE INDEX reverse_change_due ON reverse_change (not_before);
    """
}

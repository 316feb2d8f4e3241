extension PostgreSQLSchema {
  /// As `Schema.instantServers`.
  static let instantServers = """
    ALTER TABLE server ADD COLUMN is_instant BIGINT NOT NULL DEFAULT 0 CHECK (is_instant IN (0, 1));
    """
}

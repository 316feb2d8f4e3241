extension Schema {
  /// Whether a server came from a template.
  static let instantServers = """
    ALTER TABLE server ADD COLUMN is_instant INTEGER NOT NULL DEFAULT 0 CHECK (is_instant IN (0, 1));
    """
}

extension Schema {
  /// The names of addresses that DNS servers have yet to be told.
  static let reverseNames = """
    CREATE TABLE reverse_change (
      family INTEGER NOT NULL CHECK (family IN (4, 6)),
      bytes BLOB NOT NULL,
      -- Another one whenever the name is another.
      revision INTEGER NOT NULL,
      -- How often it was refused.
      attempts INTEGER NOT NULL DEFAULT 0,
      not_before INTEGER NOT NULL,
      scheduled_at INTEGER NOT NULL,
      failure TEXT,
      PRIMARY KEY (family, bytes)
    ) STRICT;
    CREATE INDEX reverse_change_due ON reverse_change (not_before);
    """
}

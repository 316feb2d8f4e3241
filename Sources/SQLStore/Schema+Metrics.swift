extension Schema {
  static let metrics = """
    -- What a server used in a minute, or in a quarter of an hour: averages.
    CREATE TABLE metric (
      server_id INTEGER NOT NULL REFERENCES server (id),
      resolution INTEGER NOT NULL CHECK (resolution IN (60, 900)),
      at INTEGER NOT NULL,
      cpu_permille INTEGER NOT NULL,
      memory_mib INTEGER NOT NULL,
      disk_bytes INTEGER NOT NULL,
      received_bytes_per_second INTEGER NOT NULL,
      sent_bytes_per_second INTEGER NOT NULL,
      PRIMARY KEY (server_id, resolution, at)
    ) STRICT, WITHOUT ROWID;
    """
}

extension Schema {
  /// The network speeds of plans, and of servers that have used more than the month's included traffic.
  static let portSpeeds = """
    -- In millions of bits a second and each direction; 0 for no limit.
    ALTER TABLE plan ADD COLUMN port_speed_mbit INTEGER NOT NULL DEFAULT 0 CHECK (port_speed_mbit >= 0);

    -- Servers that are held back until the month is over.
    CREATE TABLE server_throttle (
      server_id INTEGER PRIMARY KEY REFERENCES server (id),
      month INTEGER NOT NULL,
      speed_mbit INTEGER NOT NULL CHECK (speed_mbit > 0),
      began_at INTEGER NOT NULL
    ) STRICT;
    """
}

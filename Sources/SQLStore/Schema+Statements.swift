extension Schema {
  /// What accounts paid by the month, and when they were closed.
  static let statements = """
    CREATE INDEX ledger_entry_of_month ON ledger_entry (account_id, created_at);
    CREATE INDEX ledger_entry_of_hour ON ledger_entry (account_id, COALESCE(hour_began_at, created_at));

    -- What crossed the network in the months that are over.
    CREATE TABLE server_traffic (
      server_id INTEGER NOT NULL REFERENCES server (id),
      month INTEGER NOT NULL,
      received_bytes INTEGER NOT NULL,
      sent_bytes INTEGER NOT NULL,
      PRIMARY KEY (server_id, month)
    ) STRICT;
    CREATE TRIGGER server_usage_begins_month AFTER UPDATE OF month ON server_usage
      WHEN NEW.month <> OLD.month AND OLD.month > 0 BEGIN
        INSERT INTO server_traffic (server_id, month, received_bytes, sent_bytes)
        VALUES (OLD.server_id, OLD.month, OLD.received_bytes, OLD.sent_bytes) ON CONFLICT (server_id, month) DO NOTHING;
      END;

    -- When an account was closed for good. What was personal in it is erased; its row stays for the ledger and the audit trail.
    ALTER TABLE account ADD COLUMN closed_at INTEGER;
    """
}

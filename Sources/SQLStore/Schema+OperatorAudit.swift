extension Schema {
  /// The audit trail of operators, who have no account, and from where each change came.
  static let operatorAudit = """
    -- SQLite cannot drop a NOT NULL: the table is made anew, with all its rows.
    CREATE TABLE new_audit (
      id INTEGER PRIMARY KEY AUTOINCREMENT,
      at INTEGER NOT NULL,
      -- Whose account it is about; none for the whole installation.
      account_id INTEGER REFERENCES account (id),
      -- Who did it; none for the operator on the host.
      token_id INTEGER REFERENCES token (id),
      server_id INTEGER REFERENCES server (id),
      action TEXT NOT NULL,
      detail TEXT,
      -- The client's address, or 'host'; not known of what was written before.
      origin TEXT
    ) STRICT;
    INSERT INTO new_audit (id, at, account_id, token_id, server_id, action, detail)
    SELECT id, at, account_id, token_id, server_id, action, detail FROM audit;
    DROP TABLE audit;
    ALTER TABLE new_audit RENAME TO audit;
    CREATE INDEX audit_of_account ON audit (account_id, id);
    CREATE INDEX audit_of_server ON audit (server_id, id);
    """
}

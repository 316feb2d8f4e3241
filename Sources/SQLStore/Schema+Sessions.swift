extension Schema {
  /// Persons who sign in to the panel.
  static let sessions = """
    -- A token that a browser has: whoever it is of shows up wherever a token does, and is none of its account's tokens.
    ALTER TABLE token ADD COLUMN is_session INTEGER NOT NULL DEFAULT 0 CHECK (is_session IN (0, 1));
    CREATE INDEX session_of_account ON token (account_id) WHERE is_session = 1 AND revoked_at IS NULL;

    -- crypt(3); empty for none.
    ALTER TABLE account ADD COLUMN password_hash TEXT NOT NULL DEFAULT '';

    -- Of one-time codes, in base 32; empty for none. No code of this step or an earlier one is good any more.
    ALTER TABLE account ADD COLUMN totp_secret TEXT NOT NULL DEFAULT '';
    ALTER TABLE account ADD COLUMN totp_step INTEGER NOT NULL DEFAULT 0;

    -- Each is good once in the place of a one-time code.
    CREATE TABLE recovery_code (
      account_id INTEGER NOT NULL REFERENCES account (id),
      hash TEXT NOT NULL,
      PRIMARY KEY (account_id, hash)
    ) STRICT;

    CREATE TABLE login_link (
      id INTEGER PRIMARY KEY AUTOINCREMENT,
      hash TEXT NOT NULL UNIQUE,
      account_id INTEGER NOT NULL REFERENCES account (id),
      created_at INTEGER NOT NULL,
      expires_at INTEGER NOT NULL
    ) STRICT;
    CREATE INDEX login_link_of_account ON login_link (account_id, id);
    """
}

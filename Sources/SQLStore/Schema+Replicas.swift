extension Schema {
  /// Several services on one database, and shared tables for what a single process could keep in memory.
  static let replicas = """
    -- By the database's clock.
    CREATE TABLE replica (
      id TEXT PRIMARY KEY,
      name TEXT NOT NULL,
      started_at INTEGER NOT NULL,
      seen_at INTEGER NOT NULL
    ) STRICT;

    -- What one of them does at a time; nobody's where it has no replica. A term grows with whoever has it next.
    CREATE TABLE duty (
      name TEXT PRIMARY KEY,
      term INTEGER NOT NULL,
      replica_id TEXT,
      expires_at INTEGER NOT NULL
    ) STRICT;

    -- Who carries the request out; none where there is one service.
    ALTER TABLE repeatable_request ADD COLUMN replica_id TEXT;

    CREATE TABLE console_ticket (
      hash TEXT PRIMARY KEY,
      server_id INTEGER NOT NULL REFERENCES server (id),
      account_id INTEGER NOT NULL REFERENCES account (id),
      token_id INTEGER NOT NULL REFERENCES token (id),
      expires_at INTEGER NOT NULL
    ) STRICT;
    CREATE INDEX console_ticket_of_server ON console_ticket (server_id, expires_at);
    CREATE INDEX console_ticket_age ON console_ticket (expires_at);

    -- Neither the text that a browser comes back with nor a link can be read here.
    CREATE TABLE pending_sign_in (
      hash TEXT PRIMARY KEY,
      email TEXT NOT NULL,
      password_hash TEXT,
      link_hash TEXT,
      account_id INTEGER REFERENCES account (id),
      expires_at INTEGER NOT NULL,
      tries INTEGER NOT NULL DEFAULT 0,
      CHECK ((password_hash IS NULL) <> (link_hash IS NULL)),
      CHECK ((link_hash IS NULL) = (account_id IS NULL))
    ) STRICT;
    CREATE INDEX pending_sign_in_age ON pending_sign_in (expires_at);

    CREATE TABLE wrong_try (
      name TEXT PRIMARY KEY,
      subject TEXT NOT NULL,
      at INTEGER NOT NULL
    ) STRICT;
    CREATE INDEX wrong_try_of_subject ON wrong_try (subject, at);
    CREATE INDEX wrong_try_age ON wrong_try (at);

    CREATE TABLE attempt (
      client TEXT PRIMARY KEY,
      full_at INTEGER NOT NULL
    ) STRICT;
    CREATE INDEX attempt_age ON attempt (full_at);
    """
}

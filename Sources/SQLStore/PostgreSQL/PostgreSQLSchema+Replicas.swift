extension PostgreSQLSchema {
  /// As `Schema.replicas`, with the clock that all services use and the notifications that wake them.
  static let replicas = """
    CREATE FUNCTION vpsd_now() RETURNS bigint LANGUAGE sql VOLATILE
      RETURN CAST(floor(EXTRACT(EPOCH FROM clock_timestamp()) * 1000) AS bigint);

    CREATE FUNCTION vpsd_notify(said text) RETURNS bigint LANGUAGE plpgsql VOLATILE AS $$ BEGIN
      PERFORM pg_notify('vpsd', said);
      RETURN 0;
    END $$;

    CREATE OR REPLACE FUNCTION event_is_kept_for_a_while() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
      DELETE FROM event WHERE id <= NEW.id - 100000;
      PERFORM pg_notify('vpsd', NEW.server_id || ' ' || (SELECT host_id FROM server WHERE id = NEW.server_id));
      RETURN NULL;
    END $$;

    CREATE TABLE replica (
      id TEXT COLLATE "C" PRIMARY KEY,
      name TEXT COLLATE "C" NOT NULL,
      started_at BIGINT NOT NULL,
      seen_at BIGINT NOT NULL
    );

    CREATE TABLE duty (
      name TEXT COLLATE "C" PRIMARY KEY,
      term BIGINT NOT NULL,
      replica_id TEXT COLLATE "C",
      expires_at BIGINT NOT NULL
    );

    ALTER TABLE repeatable_request ADD COLUMN replica_id TEXT COLLATE "C";

    CREATE TABLE console_ticket (
      hash TEXT COLLATE "C" PRIMARY KEY,
      server_id BIGINT NOT NULL REFERENCES server (id),
      account_id BIGINT NOT NULL REFERENCES account (id),
      token_id BIGINT NOT NULL REFERENCES token (id),
      expires_at BIGINT NOT NULL
    );
    CREATE INDEX console_ticket_of_server ON console_ticket (server_id, expires_at);
    CREATE INDEX console_ticket_age ON console_ticket (expires_at);

    CREATE TABLE pending_sign_in (
      hash TEXT COLLATE "C" PRIMARY KEY,
      email TEXT COLLATE "C" NOT NULL,
      password_hash TEXT COLLATE "C",
      link_hash TEXT COLLATE "C",
      account_id BIGINT REFERENCES account (id),
      expires_at BIGINT NOT NULL,
      tries BIGINT NOT NULL DEFAULT 0,
      CHECK ((password_hash IS NULL) <> (link_hash IS NULL)),
      CHECK ((link_hash IS NULL) = (account_id IS NULL))
    );
    CREATE INDEX pending_sign_in_age ON pending_sign_in (expires_at);

    CREATE TABLE wrong_try (
      name TEXT COLLATE "C" PRIMARY KEY,
      subject TEXT COLLATE "C" NOT NULL,
      at BIGINT NOT NULL
    );
    CREATE INDEX wrong_try_of_subject ON wrong_try (subject, at);
    CREATE INDEX wrong_try_age ON wrong_try (at);

    CREATE TABLE attempt (
      client TEXT COLLATE "C" PRIMARY KEY,
      full_at BIGINT NOT NULL
    );
    CREATE INDEX attempt_age ON attempt (full_at);
    """
}

extension Schema {
  /// Which token made a token; whose a repeatable request is, and how many an account has; which operation carries out an
  /// audited change.
  static let principals = """
    -- Those that were made before stand for themselves: nobody told their makers that they would go with another one.
    ALTER TABLE token ADD COLUMN parent_id INTEGER REFERENCES token (id);
    CREATE INDEX token_of_parent ON token (parent_id) WHERE revoked_at IS NULL AND parent_id IS NOT NULL;

    -- Of what was written before, the operation is told where only one can be meant.
    ALTER TABLE audit ADD COLUMN operation_id INTEGER REFERENCES operation (id);
    UPDATE audit SET operation_id = (
      SELECT CASE WHEN COUNT(*) = 1 THEN MIN(operation.id) END FROM operation
      WHERE operation.server_id = audit.server_id AND operation.created_at = audit.at
        AND (operation.requested_by = audit.token_id OR (operation.requested_by IS NULL AND audit.token_id IS NULL))
        AND (audit.action = 'server.' || operation.kind
          OR (audit.action = 'server.update' AND operation.kind = 'configure')
          OR (operation.subject_id = CAST(audit.detail AS INTEGER) AND (
            (audit.action IN ('backup.create', 'snapshot.create') AND operation.kind IN ('backup', 'snapshot'))
            OR (audit.action IN ('backup.restore', 'snapshot.restore') AND operation.kind = 'restore')
            OR (audit.action IN ('backup.delete', 'snapshot.delete') AND operation.kind = 'discard')))))
    WHERE server_id IS NOT NULL;

    CREATE TABLE new_repeatable_request (
      account_id INTEGER NOT NULL REFERENCES account (id),
      -- Whose key it is, 'token:7'; empty for what was asked before this was written down, which is anybody's of the account.
      principal TEXT NOT NULL,
      key_hash TEXT NOT NULL,
      fingerprint TEXT NOT NULL,
      claim TEXT NOT NULL UNIQUE,
      lease_expires_at INTEGER NOT NULL,
      has_effect INTEGER NOT NULL DEFAULT 0 CHECK (has_effect IN (0, 1)),
      -- Only what was carried out is kept.
      status INTEGER CHECK (status BETWEEN 200 AND 299),
      sealed_body BLOB,
      created_at INTEGER NOT NULL,
      PRIMARY KEY (account_id, principal, key_hash),
      CHECK ((status IS NULL) = (sealed_body IS NULL))
    ) STRICT;
    INSERT INTO new_repeatable_request (account_id, principal, key_hash, fingerprint, claim, lease_expires_at, has_effect,
      status, sealed_body, created_at)
    SELECT account_id, '', key_hash, fingerprint, claim, lease_expires_at, has_effect, status, sealed_body, created_at
    FROM repeatable_request WHERE status IS NULL OR status BETWEEN 200 AND 299;
    DROP TABLE repeatable_request;
    ALTER TABLE new_repeatable_request RENAME TO repeatable_request;
    CREATE INDEX repeatable_request_age ON repeatable_request (created_at);
    CREATE INDEX repeatable_request_of_account ON repeatable_request (account_id, created_at);

    -- How much of it an account has. Triggers count, so that no request has to.
    CREATE TABLE repeatable_request_total (
      account_id INTEGER PRIMARY KEY REFERENCES account (id),
      request_count INTEGER NOT NULL,
      body_bytes INTEGER NOT NULL
    ) STRICT;
    INSERT INTO repeatable_request_total (account_id, request_count, body_bytes)
    SELECT account_id, COUNT(*), COALESCE(SUM(LENGTH(sealed_body)), 0) FROM repeatable_request GROUP BY account_id;
    CREATE TRIGGER repeatable_request_is_new AFTER INSERT ON repeatable_request BEGIN
      INSERT INTO repeatable_request_total (account_id, request_count, body_bytes)
      VALUES (NEW.account_id, 1, COALESCE(LENGTH(NEW.sealed_body), 0))
      ON CONFLICT (account_id) DO UPDATE SET
        request_count = repeatable_request_total.request_count + 1,
        body_bytes = repeatable_request_total.body_bytes + excluded.body_bytes;
    END;
    CREATE TRIGGER repeatable_request_is_answered AFTER UPDATE OF sealed_body ON repeatable_request BEGIN
      UPDATE repeatable_request_total
      SET body_bytes = body_bytes + COALESCE(LENGTH(NEW.sealed_body), 0) - COALESCE(LENGTH(OLD.sealed_body), 0)
      WHERE account_id = NEW.account_id;
    END;
    CREATE TRIGGER repeatable_request_is_forgotten AFTER DELETE ON repeatable_request BEGIN
      UPDATE repeatable_request_total
      SET request_count = request_count - 1, body_bytes = body_bytes - COALESCE(LENGTH(OLD.sealed_body), 0)
      WHERE account_id = OLD.account_id;
    END;
    """
}

import struct Foundation.UUID

extension Schema {
  /// Repeatable requests, and events; also uuids of plans and operating systems, names of an account's owner, and the operation
  /// `hard_stop`.
  static func migrateToRequestsAndEvents(_ database: some SQLConnection) throws {
    for table in ["plan", "operating_system"] {
      try database.runScript("ALTER TABLE \(table) ADD COLUMN uuid TEXT")
      for id in try database.rows("SELECT id FROM \(table)", isKept: false, { row in try row.next(Int64.self) }) {
        try database.run("UPDATE \(table) SET uuid = ? WHERE id = ?", [UUID(), id])
      }
      try database.runScript("CREATE UNIQUE INDEX \(table)_uuid ON \(table) (uuid)")
    }
    try database.runScript(operationsWithHardStop)
    try database.runScript(requestsAndEvents)
  }

  /// SQLite cannot change a CHECK: the table is made anew, with all its rows.
  private static let operationsWithHardStop = """
    CREATE TABLE new_operation (
      id INTEGER PRIMARY KEY AUTOINCREMENT,
      server_id INTEGER NOT NULL REFERENCES server (id),
      kind TEXT NOT NULL CHECK (kind IN
        ('create', 'start', 'stop', 'hard_stop', 'reboot', 'recover', 'configure', 'delete')),
      state TEXT NOT NULL CHECK (state IN ('queued', 'running', 'succeeded', 'failed', 'cancelled')),
      step TEXT,
      failures INTEGER NOT NULL DEFAULT 0 CHECK (failures >= 0),
      step_started_at INTEGER,
      not_before INTEGER NOT NULL,
      lease_token TEXT,
      lease_expires_at INTEGER,
      requested_by INTEGER REFERENCES token (id),
      created_at INTEGER NOT NULL,
      started_at INTEGER,
      finished_at INTEGER,
      customer_reason TEXT,
      operator_detail TEXT,
      CHECK ((finished_at IS NULL) = (state IN ('queued', 'running'))),
      CHECK ((lease_token IS NULL) = (lease_expires_at IS NULL)),
      CHECK (lease_token IS NULL OR state = 'running')
    ) STRICT;
    INSERT INTO new_operation (id, server_id, kind, state, step, failures, step_started_at, not_before, lease_token,
      lease_expires_at, requested_by, created_at, started_at, finished_at, customer_reason, operator_detail)
    SELECT id, server_id, kind, state, step, failures, step_started_at, not_before, lease_token,
      lease_expires_at, requested_by, created_at, started_at, finished_at, customer_reason, operator_detail
    FROM operation;
    DROP TABLE operation;
    ALTER TABLE new_operation RENAME TO operation;
    """

  private static let requestsAndEvents = """
    ALTER TABLE account ADD COLUMN first_name TEXT NOT NULL DEFAULT '';
    ALTER TABLE account ADD COLUMN last_name TEXT NOT NULL DEFAULT '';
    ALTER TABLE account ADD COLUMN company_name TEXT NOT NULL DEFAULT '';

    CREATE INDEX token_of_account ON token (account_id, id) WHERE revoked_at IS NULL;

    -- A request that bears a key: who carries it out, until when nobody else may, whether it changed anything, and, once
    -- it is over, what was answered. Neither the key nor the answer can be read here.
    CREATE TABLE repeatable_request (
      account_id INTEGER NOT NULL REFERENCES account (id),
      key_hash TEXT NOT NULL,
      fingerprint TEXT NOT NULL,
      claim TEXT NOT NULL UNIQUE,
      lease_expires_at INTEGER NOT NULL,
      has_effect INTEGER NOT NULL DEFAULT 0 CHECK (has_effect IN (0, 1)),
      status INTEGER,
      sealed_body BLOB,
      created_at INTEGER NOT NULL,
      PRIMARY KEY (account_id, key_hash),
      CHECK ((status IS NULL) = (sealed_body IS NULL))
    ) STRICT;
    CREATE INDEX repeatable_request_age ON repeatable_request (created_at);

    -- What happened to servers, for those who listen. Triggers write it, so that no change can be forgotten; an event of
    -- an operation has its id, and its state in `what`, one of a server the server's status, or 'deleted'.
    CREATE TABLE event (
      id INTEGER PRIMARY KEY AUTOINCREMENT,
      account_id INTEGER NOT NULL REFERENCES account (id),
      server_id INTEGER NOT NULL REFERENCES server (id),
      operation_id INTEGER,
      what TEXT NOT NULL,
      at INTEGER NOT NULL
    ) STRICT;
    CREATE INDEX event_of_account ON event (account_id, id);
    CREATE TRIGGER event_is_kept_for_a_while AFTER INSERT ON event
      BEGIN DELETE FROM event WHERE id <= NEW.id - 100000; END;

    CREATE TRIGGER server_is_new AFTER INSERT ON server BEGIN
      INSERT INTO event (account_id, server_id, what, at)
      VALUES (NEW.account_id, NEW.id, NEW.status, NEW.created_at);
    END;
    CREATE TRIGGER server_status_changes AFTER UPDATE OF status ON server
    WHEN OLD.status <> NEW.status AND NEW.deleted_at IS NULL BEGIN
      INSERT INTO event (account_id, server_id, what, at)
      VALUES (NEW.account_id, NEW.id, NEW.status, NEW.updated_at);
    END;
    CREATE TRIGGER server_is_deleted AFTER UPDATE OF deleted_at ON server
    WHEN OLD.deleted_at IS NULL AND NEW.deleted_at IS NOT NULL BEGIN
      INSERT INTO event (account_id, server_id, what, at)
      VALUES (NEW.account_id, NEW.id, 'deleted', NEW.deleted_at);
    END;

    CREATE INDEX operation_of_server ON operation (server_id, id);
    CREATE INDEX operation_unfinished ON operation (server_id, id) WHERE finished_at IS NULL;
    CREATE INDEX operation_due ON operation (not_before, id) WHERE finished_at IS NULL;
    CREATE UNIQUE INDEX operation_running_once ON operation (server_id) WHERE state = 'running';
    CREATE TRIGGER operation_is_new AFTER INSERT ON operation BEGIN
      INSERT INTO event (account_id, server_id, operation_id, what, at)
      SELECT account_id, id, NEW.id, NEW.state, NEW.created_at FROM server WHERE id = NEW.server_id;
    END;
    CREATE TRIGGER operation_state_changes AFTER UPDATE OF state ON operation
    WHEN OLD.state <> NEW.state BEGIN
      INSERT INTO event (account_id, server_id, operation_id, what, at)
      SELECT account_id, id, NEW.id, NEW.state, COALESCE(NEW.finished_at, NEW.started_at, NEW.created_at)
      FROM server WHERE id = NEW.server_id;
    END;
    """
}

extension Schema {
  /// Copies of disks, and operations that are about something beside their server: a copy, a plan, an operating system.
  static func migrateToDiskCopies(_ database: some SQLConnection) throws {
    try database.runScript(operationsWithSubjects)
    try database.runScript(diskCopies)
  }

  /// The kinds have a table of their own, so that the next one needs no new table of operations.
  private static let operationsWithSubjects = """
    CREATE TABLE operation_kind (kind TEXT NOT NULL PRIMARY KEY) STRICT;
    INSERT INTO operation_kind (kind) VALUES ('create'), ('start'), ('stop'), ('hard_stop'), ('reboot'), ('recover'),
      ('configure'), ('delete'), ('backup'), ('snapshot'), ('restore'), ('discard'), ('resize'), ('rebuild');

    -- What an operation is about beside its server is told by its kind: the id of a copy, a plan or an operating system.
    -- One that took its server down remembers the status that the server had.
    CREATE TABLE new_operation (
      id INTEGER PRIMARY KEY AUTOINCREMENT,
      server_id INTEGER NOT NULL REFERENCES server (id),
      kind TEXT NOT NULL REFERENCES operation_kind (kind),
      subject_id INTEGER,
      former_status TEXT,
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
      CHECK ((subject_id IS NULL) = (kind NOT IN ('backup', 'snapshot', 'restore', 'discard', 'resize', 'rebuild'))),
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

  private static let diskCopies = """
    -- A standalone copy of a server's disk: a backup, made by hand or by schedule, or a snapshot. It goes with its server.
    -- Customers see it until deleted_at; its row stays as a tombstone after erased_at, when there is no file any more. What
    -- the server knew of the disk is kept with it, because a restore brings that back too.
    CREATE TABLE disk_copy (
      id INTEGER PRIMARY KEY AUTOINCREMENT,
      uuid TEXT NOT NULL UNIQUE,
      server_id INTEGER NOT NULL REFERENCES server (id),
      kind TEXT NOT NULL CHECK (kind IN ('manual', 'automatic', 'snapshot')),
      name TEXT,
      description TEXT NOT NULL,
      status TEXT NOT NULL CHECK (status IN ('pending', 'completed', 'failed')),
      status_reason TEXT,
      size_bytes INTEGER CHECK (size_bytes > 0),
      checksum TEXT,
      operating_system_id INTEGER REFERENCES operating_system (id),
      image_version TEXT,
      awaits_first_boot INTEGER CHECK (awaits_first_boot IN (0, 1)),
      created_at INTEGER NOT NULL,
      completed_at INTEGER,
      expires_at INTEGER,
      deleted_at INTEGER,
      erased_at INTEGER,
      CHECK ((name IS NOT NULL) = (kind = 'snapshot')),
      CHECK ((expires_at IS NOT NULL) = (kind = 'automatic')),
      CHECK ((status = 'failed') = (status_reason IS NOT NULL)),
      CHECK ((status = 'completed') = (completed_at IS NOT NULL)),
      CHECK ((status = 'completed') = (size_bytes IS NOT NULL AND checksum IS NOT NULL)),
      CHECK ((status = 'completed') =
        (operating_system_id IS NOT NULL AND image_version IS NOT NULL AND awaits_first_boot IS NOT NULL)),
      CHECK (erased_at IS NULL OR deleted_at IS NOT NULL OR status = 'failed')
    ) STRICT;
    CREATE INDEX disk_copy_of_server ON disk_copy (server_id, id);
    CREATE INDEX disk_copy_seen ON disk_copy (server_id, id) WHERE deleted_at IS NULL;
    CREATE INDEX disk_copy_expiry ON disk_copy (expires_at) WHERE expires_at IS NOT NULL AND deleted_at IS NULL;
    CREATE INDEX disk_copy_to_erase ON disk_copy (id)
      WHERE erased_at IS NULL AND (deleted_at IS NOT NULL OR status = 'failed');
    CREATE INDEX operation_unfinished_about ON operation (subject_id)
      WHERE finished_at IS NULL AND subject_id IS NOT NULL;

    -- From the moment at which the schedule wants a backup of the server to the one at which it is begun.
    ALTER TABLE server ADD COLUMN backup_due_at INTEGER;
    CREATE INDEX server_backup_due ON server (backup_due_at, id) WHERE backup_due_at IS NOT NULL;

    -- Until the first boot of a new disk is over. That boot personalises the disk, and must be seen to have worked.
    ALTER TABLE server ADD COLUMN awaits_first_boot INTEGER NOT NULL DEFAULT 1 CHECK (awaits_first_boot IN (0, 1));
    UPDATE server SET awaits_first_boot = 1 - was_ever_ready;
    -- From the moment at which a server has another operating system until it has a disk with it: whatever disk there is then
    -- is that of the system before, and is removed first.
    ALTER TABLE server ADD COLUMN awaits_new_disk INTEGER NOT NULL DEFAULT 0 CHECK (awaits_new_disk IN (0, 1));

    -- What a rebuild brings beside its operating system, until it is over.
    CREATE TABLE rebuild (
      operation_id INTEGER PRIMARY KEY REFERENCES operation (id),
      authorized_key TEXT,
      root_password_hash TEXT,
      CHECK ((authorized_key IS NULL) = (root_password_hash IS NOT NULL))
    ) STRICT;
    CREATE TRIGGER rebuild_is_over AFTER UPDATE OF finished_at ON operation
    WHEN NEW.finished_at IS NOT NULL AND NEW.kind = 'rebuild' BEGIN
      DELETE FROM rebuild WHERE operation_id = NEW.id;
    END;
    """

  /// An index by host: each host makes its own backups, one after the other.
  static let backupsByHost = """
    DROP INDEX server_backup_due;
    CREATE INDEX server_backup_due ON server (host_id, backup_due_at, id) WHERE backup_due_at IS NOT NULL;
    """
}

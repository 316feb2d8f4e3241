extension Schema {
  /// The first tables: the catalogue, accounts with their ledger, servers and operations.
  ///
  /// Times are milliseconds since 1970, amounts are microunits, truth values are 0 and 1. With AUTOINCREMENT no id is used
  /// again, even when its row is gone.
  static let accountsAndServers = """
    CREATE TABLE setting (
      key TEXT NOT NULL PRIMARY KEY,
      value TEXT NOT NULL
    ) STRICT;

    CREATE TABLE location (
      id INTEGER PRIMARY KEY AUTOINCREMENT,
      code TEXT NOT NULL UNIQUE,
      name TEXT NOT NULL,
      country_code TEXT NOT NULL,
      country_name TEXT NOT NULL,
      is_active INTEGER NOT NULL CHECK (is_active IN (0, 1))
    ) STRICT;

    CREATE TABLE plan (
      id INTEGER PRIMARY KEY AUTOINCREMENT,
      name TEXT NOT NULL,
      slug TEXT NOT NULL UNIQUE,
      description TEXT NOT NULL,
      vcpus INTEGER NOT NULL CHECK (vcpus > 0),
      memory_mib INTEGER NOT NULL CHECK (memory_mib > 0),
      storage_gib INTEGER NOT NULL CHECK (storage_gib > 0),
      bandwidth_gb INTEGER NOT NULL CHECK (bandwidth_gb >= 0),
      price_per_hour INTEGER NOT NULL CHECK (price_per_hour >= 0),
      is_available INTEGER NOT NULL CHECK (is_available IN (0, 1))
    ) STRICT;

    CREATE TABLE plan_location (
      plan_id INTEGER NOT NULL REFERENCES plan (id),
      position INTEGER NOT NULL,
      location TEXT NOT NULL REFERENCES location (code),
      PRIMARY KEY (plan_id, location)
    ) STRICT;

    CREATE TABLE operating_system (
      id INTEGER PRIMARY KEY AUTOINCREMENT,
      name TEXT NOT NULL,
      slug TEXT NOT NULL UNIQUE,
      family TEXT NOT NULL,
      version TEXT NOT NULL,
      image_name TEXT NOT NULL,
      is_available INTEGER NOT NULL CHECK (is_available IN (0, 1))
    ) STRICT;

    CREATE TABLE account (
      id INTEGER PRIMARY KEY AUTOINCREMENT,
      email TEXT NOT NULL UNIQUE,
      balance INTEGER NOT NULL DEFAULT 0 CHECK (balance >= 0),
      created_at INTEGER NOT NULL
    ) STRICT;

    CREATE TABLE token (
      id INTEGER PRIMARY KEY AUTOINCREMENT,
      account_id INTEGER NOT NULL REFERENCES account (id),
      name TEXT NOT NULL,
      hash TEXT NOT NULL UNIQUE,
      permissions TEXT NOT NULL,
      created_at INTEGER NOT NULL,
      expires_at INTEGER,
      last_used_at INTEGER,
      revoked_at INTEGER
    ) STRICT;

    CREATE TABLE ssh_key (
      id INTEGER PRIMARY KEY AUTOINCREMENT,
      uuid TEXT NOT NULL UNIQUE,
      account_id INTEGER NOT NULL REFERENCES account (id),
      name TEXT NOT NULL,
      fingerprint TEXT NOT NULL,
      public_key TEXT NOT NULL,
      created_at INTEGER NOT NULL,
      last_used_at INTEGER,
      UNIQUE (account_id, fingerprint)
    ) STRICT;

    -- A customer sees a server until deleted_at; its row stays as a tombstone after erased_at. What it takes of the host
    -- is copied from the plan, so that no change of the catalogue changes a server.
    CREATE TABLE server (
      id INTEGER PRIMARY KEY AUTOINCREMENT,
      uuid TEXT NOT NULL UNIQUE,
      account_id INTEGER NOT NULL REFERENCES account (id),
      name TEXT NOT NULL,
      hostname TEXT NOT NULL,
      status TEXT NOT NULL CHECK (status IN
        ('provisioning', 'active', 'stopping', 'stopped', 'starting', 'rebooting', 'suspended', 'error')),
      status_reason TEXT,
      plan_id INTEGER NOT NULL REFERENCES plan (id),
      operating_system_id INTEGER NOT NULL REFERENCES operating_system (id),
      location TEXT NOT NULL REFERENCES location (code),
      vcpus INTEGER NOT NULL,
      memory_mib INTEGER NOT NULL,
      storage_gib INTEGER NOT NULL,
      is_backup_enabled INTEGER NOT NULL CHECK (is_backup_enabled IN (0, 1)),
      image_version TEXT,
      authorized_key TEXT,
      root_password_hash TEXT,
      has_disk INTEGER NOT NULL DEFAULT 0 CHECK (has_disk IN (0, 1)),
      was_ever_ready INTEGER NOT NULL DEFAULT 0 CHECK (was_ever_ready IN (0, 1)),
      credit_hold INTEGER NOT NULL CHECK (credit_hold >= 0),
      created_at INTEGER NOT NULL,
      updated_at INTEGER NOT NULL,
      deleted_at INTEGER,
      erased_at INTEGER,
      CHECK (erased_at IS NULL OR (deleted_at IS NOT NULL AND credit_hold = 0))
    ) STRICT;
    CREATE INDEX server_of_account ON server (account_id, id) WHERE deleted_at IS NULL;
    CREATE INDEX server_not_erased ON server (id) WHERE erased_at IS NULL;
    CREATE INDEX server_being_deleted ON server (id) WHERE deleted_at IS NOT NULL AND erased_at IS NULL;

    CREATE TABLE address (
      number INTEGER PRIMARY KEY,
      server_id INTEGER NOT NULL UNIQUE REFERENCES server (id)
    ) STRICT;

    CREATE TABLE ledger_entry (
      id INTEGER PRIMARY KEY AUTOINCREMENT,
      account_id INTEGER NOT NULL REFERENCES account (id),
      reason TEXT NOT NULL CHECK (reason IN ('credit', 'hold', 'release', 'charge')),
      amount INTEGER NOT NULL CHECK (
        CASE reason WHEN 'credit' THEN amount <> 0 WHEN 'release' THEN amount > 0 ELSE amount < 0 END),
      server_id INTEGER REFERENCES server (id),
      created_at INTEGER NOT NULL
    ) STRICT;
    CREATE INDEX ledger_entry_of_account ON ledger_entry (account_id, id);
    CREATE TRIGGER ledger_entry_is_never_changed BEFORE UPDATE ON ledger_entry
      BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END;
    CREATE TRIGGER ledger_entry_is_never_deleted BEFORE DELETE ON ledger_entry
      BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END;

    CREATE TABLE operation (
      id INTEGER PRIMARY KEY AUTOINCREMENT,
      server_id INTEGER NOT NULL REFERENCES server (id),
      kind TEXT NOT NULL CHECK (kind IN ('create', 'start', 'stop', 'reboot', 'recover', 'configure', 'delete')),
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
    CREATE INDEX operation_of_server ON operation (server_id, id);
    CREATE INDEX operation_unfinished ON operation (server_id, id) WHERE finished_at IS NULL;
    CREATE INDEX operation_due ON operation (not_before, id) WHERE finished_at IS NULL;
    CREATE UNIQUE INDEX operation_running_once ON operation (server_id) WHERE state = 'running';

    CREATE TABLE server_usage (
      server_id INTEGER PRIMARY KEY REFERENCES server (id),
      cpu_permille INTEGER NOT NULL,
      memory_used_mib INTEGER NOT NULL,
      disk_used_bytes INTEGER NOT NULL,
      month INTEGER NOT NULL,
      received_bytes INTEGER NOT NULL,
      sent_bytes INTEGER NOT NULL,
      boot_received_bytes INTEGER NOT NULL,
      boot_sent_bytes INTEGER NOT NULL,
      measured_at INTEGER NOT NULL
    ) STRICT;

    CREATE TABLE audit (
      id INTEGER PRIMARY KEY AUTOINCREMENT,
      at INTEGER NOT NULL,
      account_id INTEGER NOT NULL REFERENCES account (id),
      token_id INTEGER REFERENCES token (id),
      server_id INTEGER REFERENCES server (id),
      action TEXT NOT NULL,
      detail TEXT
    ) STRICT;
    CREATE INDEX audit_of_account ON audit (account_id, id);
    """
}

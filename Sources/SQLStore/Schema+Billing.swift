extension Schema {
  /// Servers cost money by the hour, and are suspended where nobody pays or the operator says so.
  ///
  /// SQLite cannot change a CHECK: the ledger is made anew, with all its rows.
  static let billing = """
    CREATE TABLE new_ledger_entry (
      id INTEGER PRIMARY KEY AUTOINCREMENT,
      account_id INTEGER NOT NULL REFERENCES account (id),
      reason TEXT NOT NULL CHECK (reason IN ('credit', 'hold', 'release', 'charge', 'backup', 'traffic', 'refund')),
      amount INTEGER NOT NULL CHECK (
        CASE reason WHEN 'credit' THEN amount <> 0 WHEN 'release' THEN amount > 0 WHEN 'refund' THEN amount > 0
          ELSE amount < 0 END),
      -- Of the account, with this entry.
      balance INTEGER NOT NULL CHECK (balance >= 0),
      server_id INTEGER REFERENCES server (id),
      -- When the hour of the server began that is paid for.
      hour_began_at INTEGER,
      -- Which hour of the server it is, or which GB of a month: what has a number is charged once. What is charged beside the
      -- hour itself, because the server became more expensive in it, has none.
      number INTEGER,
      description TEXT NOT NULL DEFAULT '',
      created_at INTEGER NOT NULL,
      CHECK (number IS NULL OR (server_id IS NOT NULL AND reason IN ('charge', 'backup', 'traffic')))
    ) STRICT;
    -- Until now a server was charged once, for its first hour.
    INSERT INTO new_ledger_entry (id, account_id, reason, amount, balance, server_id, hour_began_at, number, created_at)
    SELECT entry.id, entry.account_id, entry.reason, entry.amount,
      SUM(entry.amount) OVER (PARTITION BY entry.account_id ORDER BY entry.id), entry.server_id,
      CASE entry.reason WHEN 'charge' THEN server.created_at END,
      CASE WHEN entry.reason = 'charge' AND server.id IS NOT NULL AND NOT EXISTS (
        SELECT 1 FROM ledger_entry AS earlier
        WHERE earlier.account_id = entry.account_id AND earlier.server_id = entry.server_id
          AND earlier.reason = 'charge' AND earlier.id < entry.id) THEN 0 END,
      entry.created_at
    FROM ledger_entry AS entry LEFT JOIN server ON server.id = entry.server_id ORDER BY entry.id;
    DROP TABLE ledger_entry;
    ALTER TABLE new_ledger_entry RENAME TO ledger_entry;
    CREATE INDEX ledger_entry_of_account ON ledger_entry (account_id, id);
    CREATE UNIQUE INDEX ledger_entry_once ON ledger_entry (server_id, reason, number) WHERE number IS NOT NULL;
    CREATE TRIGGER ledger_entry_is_never_changed BEFORE UPDATE ON ledger_entry
      BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END;
    CREATE TRIGGER ledger_entry_is_never_deleted BEFORE DELETE ON ledger_entry
      BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END;

    -- What an hour of the server costs, so that no change of the catalogue changes it.
    ALTER TABLE server ADD COLUMN price_per_hour INTEGER NOT NULL DEFAULT 0 CHECK (price_per_hour >= 0);
    UPDATE server SET price_per_hour = (SELECT plan.price_per_hour FROM plan WHERE plan.id = server.plan_id);
    -- What it cost before, for the hours that began before that time and were not charged yet.
    CREATE TABLE former_price (
      server_id INTEGER NOT NULL REFERENCES server (id),
      until_at INTEGER NOT NULL,
      price_per_hour INTEGER NOT NULL CHECK (price_per_hour >= 0),
      PRIMARY KEY (server_id, until_at)
    ) STRICT;

    -- The first hour of the server that was not looked at yet: when it begins, and its number. None for a server that costs
    -- nothing: one that was never ready, or is deleted. Those that are there already cost nothing for the time until the
    -- meter sees them for the first time.
    ALTER TABLE server ADD COLUMN next_hour_at INTEGER;
    ALTER TABLE server ADD COLUMN next_hour_number INTEGER NOT NULL DEFAULT 0;
    -- How many hours of a calendar month were charged.
    ALTER TABLE server ADD COLUMN billed_month INTEGER NOT NULL DEFAULT 0;
    ALTER TABLE server ADD COLUMN billed_month_hours INTEGER NOT NULL DEFAULT 0;
    CREATE INDEX server_leaving ON server (account_id) WHERE deleted_at IS NOT NULL AND erased_at IS NULL;
    CREATE INDEX server_hour_due ON server (next_hour_at, id) WHERE next_hour_at IS NOT NULL;

    -- Suspended by the operator, alone or with its whole account.
    ALTER TABLE server ADD COLUMN operator_suspended_at INTEGER;
    ALTER TABLE server ADD COLUMN operator_suspension_reason TEXT;
    -- What a server that is suspended, or about to be, becomes again afterwards.
    ALTER TABLE server ADD COLUMN resume_status TEXT CHECK (resume_status IN ('active', 'stopped'));
    CREATE INDEX server_suspended_by_operator ON server (id)
      WHERE operator_suspended_at IS NOT NULL AND deleted_at IS NULL;
    CREATE INDEX server_suspended ON server (id) WHERE status = 'suspended' AND deleted_at IS NULL;

    -- An account can be suspended for both causes at once; each is lifted only by its own.
    ALTER TABLE account ADD COLUMN credit_suspended_at INTEGER;
    -- When the servers of an account that has run out of credit are deleted.
    ALTER TABLE account ADD COLUMN deletion_at INTEGER;
    ALTER TABLE account ADD COLUMN operator_suspended_at INTEGER;
    ALTER TABLE account ADD COLUMN operator_suspension_reason TEXT;
    CREATE INDEX account_out_of_credit ON account (id) WHERE credit_suspended_at IS NOT NULL;
    CREATE INDEX account_suspended_by_operator ON account (id) WHERE operator_suspended_at IS NOT NULL;
    """
}

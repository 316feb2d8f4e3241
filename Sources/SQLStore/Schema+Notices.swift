extension Schema {
  /// The notices of accounts' owners, with their language and delivery; and events that tell when servers will be deleted.
  static let notices = """
    ALTER TABLE account ADD COLUMN language TEXT NOT NULL DEFAULT 'en' CHECK (language IN ('en', 'bg'));
    -- For how many hours the credit lasted, and how many days before its servers' deletion it was, when that was told last.
    ALTER TABLE account ADD COLUMN credit_warned_hours INTEGER;
    ALTER TABLE account ADD COLUMN credit_warned_at INTEGER;
    ALTER TABLE account ADD COLUMN deletion_warned_days INTEGER;

    ALTER TABLE event ADD COLUMN deletion_at INTEGER;

    CREATE TABLE notice (
      id INTEGER PRIMARY KEY AUTOINCREMENT,
      uuid TEXT NOT NULL UNIQUE,
      account_id INTEGER NOT NULL REFERENCES account (id),
      kind TEXT NOT NULL,
      at INTEGER NOT NULL,
      hours_left INTEGER,
      balance INTEGER,
      hourly_cost INTEGER,
      cause TEXT,
      remaining_cause TEXT,
      reason TEXT,
      deletion_at INTEGER,
      -- A line each, and how many there are together with those that have no line.
      entries TEXT NOT NULL,
      entry_count INTEGER NOT NULL,
      -- When it is to be delivered, and when its next try is: said at this moment, in case the clock is set back.
      due_at INTEGER NOT NULL,
      not_before INTEGER NOT NULL,
      scheduled_at INTEGER NOT NULL,
      attempts INTEGER NOT NULL DEFAULT 0 CHECK (attempts >= 0),
      is_claimed INTEGER NOT NULL DEFAULT 0 CHECK (is_claimed IN (0, 1)),
      finished_at INTEGER,
      is_given_up INTEGER NOT NULL DEFAULT 0 CHECK (is_given_up IN (0, 1)),
      failure TEXT,
      CHECK (is_claimed = 0 OR (finished_at IS NULL AND attempts > 0)),
      CHECK (is_given_up = 0 OR finished_at IS NOT NULL)
    ) STRICT;
    CREATE INDEX notice_of_account ON notice (account_id, kind, id);
    CREATE INDEX notice_waiting ON notice (not_before, id) WHERE finished_at IS NULL;
    CREATE INDEX notice_finished ON notice (finished_at) WHERE finished_at IS NOT NULL;
    """
}

extension Schema {
  /// What customers ask of a server beside its size: labels, protection, user data, and a rescue system.
  static let customerOptions = """
    -- Of servers that their customers see.
    CREATE TABLE server_label (
      server_id INTEGER NOT NULL REFERENCES server (id),
      -- The server's, so that a selection goes by one index.
      account_id INTEGER NOT NULL REFERENCES account (id),
      key TEXT NOT NULL,
      value TEXT NOT NULL,
      PRIMARY KEY (server_id, key)
    ) STRICT;
    CREATE INDEX server_label_of_account ON server_label (account_id, key, value, server_id);

    ALTER TABLE server ADD COLUMN is_delete_protected INTEGER NOT NULL DEFAULT 0 CHECK (is_delete_protected IN (0, 1));

    -- With the key of the installation, which is not in here.
    CREATE TABLE server_user_data (
      server_id INTEGER PRIMARY KEY REFERENCES server (id),
      sealed BLOB NOT NULL
    ) STRICT;
    -- From the end of its first boot on, until it is known what came of the user data.
    ALTER TABLE server ADD COLUMN awaits_user_data INTEGER NOT NULL DEFAULT 0 CHECK (awaits_user_data IN (0, 1));
    ALTER TABLE server ADD COLUMN user_data_failed INTEGER NOT NULL DEFAULT 0 CHECK (user_data_failed IN (0, 1));
    CREATE INDEX server_awaiting_user_data ON server (host_id, id) WHERE awaits_user_data = 1;
    -- What a rebuild brings; none, and it does not keep what there is, for none.
    ALTER TABLE rebuild ADD COLUMN keeps_user_data INTEGER NOT NULL DEFAULT 1 CHECK (keeps_user_data IN (0, 1));
    ALTER TABLE rebuild ADD COLUMN sealed_user_data BLOB;

    INSERT INTO operation_kind (kind) VALUES ('rescue'), ('leave_rescue');
    -- The system that runs in the place of a server's own, from when it is asked for until it is left.
    CREATE TABLE rescue (
      server_id INTEGER PRIMARY KEY REFERENCES server (id),
      image_version TEXT,
      authorized_key TEXT,
      -- Until the first boot of it is over.
      root_password_hash TEXT,
      -- What the server was before.
      former_status TEXT,
      is_entered INTEGER NOT NULL DEFAULT 0 CHECK (is_entered IN (0, 1)),
      awaits_first_boot INTEGER NOT NULL DEFAULT 1 CHECK (awaits_first_boot IN (0, 1)),
      CHECK (is_entered = 0 OR (image_version IS NOT NULL AND former_status IS NOT NULL))
    ) STRICT;
    CREATE TRIGGER rescue_is_not_entered AFTER UPDATE OF finished_at ON operation
    WHEN NEW.finished_at IS NOT NULL AND NEW.kind = 'rescue' BEGIN
      DELETE FROM rescue WHERE server_id = NEW.server_id AND is_entered = 0;
    END;
    """
}

extension Schema {
  /// What makes a page of a list of 100,000 servers cost what one of 1,000 does: see `ServerBlocks`.
  static let longLists = """
    CREATE TABLE server_block (
      account_id INTEGER NOT NULL REFERENCES account (id),
      block INTEGER NOT NULL,
      server_count INTEGER NOT NULL CHECK (server_count >= 0),
      PRIMARY KEY (account_id, block)
    ) STRICT, WITHOUT ROWID;
    INSERT INTO server_block (account_id, block, server_count)
      SELECT account_id, id / 1024, COUNT(*) FROM server WHERE deleted_at IS NULL GROUP BY account_id, id / 1024;
    CREATE TRIGGER server_enters_its_block AFTER INSERT ON server WHEN NEW.deleted_at IS NULL BEGIN
      INSERT INTO server_block (account_id, block, server_count) VALUES (NEW.account_id, NEW.id / 1024, 1)
        ON CONFLICT (account_id, block) DO UPDATE SET server_count = server_count + 1;
    END;
    CREATE TRIGGER server_leaves_its_block AFTER UPDATE OF deleted_at ON server
    WHEN OLD.deleted_at IS NULL AND NEW.deleted_at IS NOT NULL BEGIN
      UPDATE server_block SET server_count = server_count - 1
        WHERE account_id = NEW.account_id AND block = NEW.id / 1024;
      DELETE FROM server_block WHERE account_id = NEW.account_id AND block = NEW.id / 1024 AND server_count = 0;
    END;
    CREATE INDEX server_of_account_by_name ON server (account_id, lower(name), id) WHERE deleted_at IS NULL;
    CREATE INDEX server_of_account_by_status ON server (account_id, status, id) WHERE deleted_at IS NULL;
    CREATE INDEX server_of_account_by_creation ON server (account_id, created_at, id) WHERE deleted_at IS NULL;
    """
}

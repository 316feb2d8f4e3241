extension PostgreSQLSchema {
  /// As `Schema.longLists`.
  static let longLists = """
    CREATE TABLE server_block (
      account_id BIGINT NOT NULL REFERENCES account (id),
      block BIGINT NOT NULL,
      server_count BIGINT NOT NULL CHECK (server_count >= 0),
      PRIMARY KEY (account_id, block)
    );
    INSERT INTO server_block (account_id, block, server_count)
      SELECT account_id, id / 1024, COUNT(*) FROM server WHERE deleted_at IS NULL GROUP BY account_id, id / 1024;

    CREATE FUNCTION server_enters_its_block() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
      INSERT INTO server_block (account_id, block, server_count) VALUES (NEW.account_id, NEW.id / 1024, 1)
        ON CONFLICT (account_id, block) DO UPDATE SET server_count = server_block.server_count + 1;
      RETURN NULL;
    END $$;
    CREATE TRIGGER server_enters_its_block AFTER INSERT ON server
      FOR EACH ROW WHEN (NEW.deleted_at IS NULL) EXECUTE FUNCTION server_enters_its_block();

    CREATE FUNCTION server_leaves_its_block() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
      UPDATE server_block SET server_count = server_count - 1
        WHERE account_id = NEW.account_id AND block = NEW.id / 1024;
      DELETE FROM server_block WHERE account_id = NEW.account_id AND block = NEW.id / 1024 AND server_count = 0;
      RETURN NULL;
    END $$;
    CREATE TRIGGER server_leaves_its_block AFTER UPDATE OF deleted_at ON server
      FOR EACH ROW WHEN (OLD.deleted_at IS NULL AND NEW.deleted_at IS NOT NULL)
      EXECUTE FUNCTION server_leaves_its_block();

    CREATE INDEX server_of_account_by_name ON server (account_id, vpsd_lower(name), id) WHERE deleted_at IS NULL;
    CREATE INDEX server_of_account_by_status ON server (account_id, status, id) WHERE deleted_at IS NULL;
    CREATE INDEX server_of_account_by_creation ON server (account_id, created_at, id) WHERE deleted_at IS NULL;
    """
}

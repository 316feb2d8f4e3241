extension PostgreSQLSchema {
  /// As `Schema.fences`.
  static let fences = """
    ALTER TABLE host ADD COLUMN fence TEXT COLLATE "C" CHECK (fence IN ('begun', 'done', 'released'));
    ALTER TABLE host ADD COLUMN fence_failure TEXT COLLATE "C";
    CREATE FUNCTION host_answers() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
      NEW.fence = NULL;
      NEW.fence_failure = NULL;
      RETURN NEW;
    END $$;
    CREATE TRIGGER host_answers BEFORE UPDATE OF away_since ON host
      FOR EACH ROW WHEN (NEW.away_since IS NULL) EXECUTE FUNCTION host_answers();

    ALTER TABLE server_move ADD COLUMN is_awaited BIGINT NOT NULL DEFAULT 0 CHECK (is_awaited IN (0, 1));
    CREATE UNIQUE INDEX server_move_awaited ON server_move (server_id) WHERE is_awaited = 1;
    """
}

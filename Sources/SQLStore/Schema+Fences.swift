extension Schema {
  /// Hosts that are switched off because they do not answer, and servers that start elsewhere meanwhile.
  static let fences = """
    ALTER TABLE host ADD COLUMN fence TEXT CHECK (fence IN ('begun', 'done', 'released'));
    -- Why the last try has failed.
    ALTER TABLE host ADD COLUMN fence_failure TEXT;
    -- A service of an earlier version knows nothing of it.
    CREATE TRIGGER host_answers AFTER UPDATE OF away_since ON host
    WHEN NEW.away_since IS NULL AND (NEW.fence IS NOT NULL OR NEW.fence_failure IS NOT NULL) BEGIN
      UPDATE host SET fence = NULL, fence_failure = NULL WHERE id = NEW.id;
    END;

    -- Whether the server's new host has still to take the machine over, before anything is done with it.
    ALTER TABLE server_move ADD COLUMN is_awaited INTEGER NOT NULL DEFAULT 0 CHECK (is_awaited IN (0, 1));
    CREATE UNIQUE INDEX server_move_awaited ON server_move (server_id) WHERE is_awaited = 1;
    """
}

extension Schema {
  /// Where machines run. What servers have reserved of a host is counted by triggers, so that no create reads all servers.
  ///
  /// Servers from before there were hosts are on the first one, which is this machine.
  static let hosts = """
    CREATE TABLE host (
      id INTEGER PRIMARY KEY AUTOINCREMENT,
      name TEXT NOT NULL UNIQUE,
      -- None for the host of every location that has none of its own.
      location TEXT,
      driver TEXT NOT NULL,
      -- What it carries in all; none where there is no bound.
      vcpus INTEGER,
      memory_mib INTEGER,
      storage_gib INTEGER,
      reserved_vcpus INTEGER NOT NULL DEFAULT 0,
      reserved_memory_mib INTEGER NOT NULL DEFAULT 0,
      reserved_storage_gib INTEGER NOT NULL DEFAULT 0,
      server_count INTEGER NOT NULL DEFAULT 0,
      is_configured INTEGER NOT NULL CHECK (is_configured IN (0, 1)),
      is_draining INTEGER NOT NULL DEFAULT 0 CHECK (is_draining IN (0, 1)),
      away_since INTEGER,
      CHECK ((vcpus IS NULL) = (memory_mib IS NULL) AND (vcpus IS NULL) = (storage_gib IS NULL))
    ) STRICT;
    INSERT INTO host (id, name, driver, is_configured) VALUES (1, 'local', 'libvirt', 1);

    ALTER TABLE server ADD COLUMN host_id INTEGER NOT NULL DEFAULT 1 REFERENCES host (id);
    CREATE INDEX server_of_host ON server (host_id, id) WHERE erased_at IS NULL;
    UPDATE host SET (reserved_vcpus, reserved_memory_mib, reserved_storage_gib, server_count) = (
      SELECT COALESCE(SUM(vcpus), 0), COALESCE(SUM(memory_mib), 0), COALESCE(SUM(storage_gib), 0), COUNT(*)
      FROM server WHERE erased_at IS NULL);

    CREATE TRIGGER server_takes_its_share AFTER INSERT ON server BEGIN
      UPDATE host SET reserved_vcpus = reserved_vcpus + NEW.vcpus,
        reserved_memory_mib = reserved_memory_mib + NEW.memory_mib,
        reserved_storage_gib = reserved_storage_gib + NEW.storage_gib, server_count = server_count + 1
      WHERE id = NEW.host_id;
    END;
    CREATE TRIGGER server_changes_its_share AFTER UPDATE OF vcpus, memory_mib, storage_gib, host_id, erased_at ON server
    BEGIN
      UPDATE host SET reserved_vcpus = reserved_vcpus - OLD.vcpus,
        reserved_memory_mib = reserved_memory_mib - OLD.memory_mib,
        reserved_storage_gib = reserved_storage_gib - OLD.storage_gib, server_count = server_count - 1
      WHERE id = OLD.host_id AND OLD.erased_at IS NULL;
      UPDATE host SET reserved_vcpus = reserved_vcpus + NEW.vcpus,
        reserved_memory_mib = reserved_memory_mib + NEW.memory_mib,
        reserved_storage_gib = reserved_storage_gib + NEW.storage_gib, server_count = server_count + 1
      WHERE id = NEW.host_id AND NEW.erased_at IS NULL;
    END;

    -- The host of its server, beside what tells when it is due: each host claims its own.
    ALTER TABLE operation ADD COLUMN host_id INTEGER NOT NULL DEFAULT 1 REFERENCES host (id);
    DROP INDEX operation_due;
    DROP INDEX operation_scheduled;
    CREATE INDEX operation_due ON operation (host_id, not_before, id) WHERE finished_at IS NULL;
    CREATE INDEX operation_scheduled ON operation (host_id, scheduled_at, id) WHERE finished_at IS NULL;
    """
}

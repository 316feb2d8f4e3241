extension Schema {
  /// Servers that go to another host.
  static let moves = """
    INSERT INTO operation_kind (kind) VALUES ('move');
    -- Its server will have it at the end of a move; until then no host uses it.
    ALTER TABLE address ADD COLUMN is_arriving INTEGER NOT NULL DEFAULT 0 CHECK (is_arriving IN (0, 1));

    -- From when on the servers of a host that is drained go to others of its location; none where they stay.
    ALTER TABLE host ADD COLUMN moves_servers_at INTEGER;

    CREATE TABLE server_move (
      operation_id INTEGER PRIMARY KEY REFERENCES operation (id),
      server_id INTEGER NOT NULL REFERENCES server (id),
      from_host_id INTEGER NOT NULL REFERENCES host (id),
      to_host_id INTEGER NOT NULL REFERENCES host (id),
      from_location TEXT NOT NULL REFERENCES location (code),
      to_location TEXT NOT NULL REFERENCES location (code),
      -- The host beside the server's own that may have something of the machine, and where its share is reserved: first the
      -- one that it goes to, then the one that it came from; none once that has removed everything.
      other_host_id INTEGER REFERENCES host (id),
      vcpus INTEGER NOT NULL,
      memory_mib INTEGER NOT NULL,
      storage_gib INTEGER NOT NULL,
      -- The server's first addresses, as numbers.
      old_address INTEGER,
      new_address INTEGER,
      off_at INTEGER,
      switched_at INTEGER,
      on_at INTEGER,
      CHECK (from_host_id <> to_host_id)
    ) STRICT;
    CREATE INDEX server_move_of_server ON server_move (server_id);
    CREATE INDEX server_move_from ON server_move (from_host_id) WHERE other_host_id IS NOT NULL;
    CREATE UNIQUE INDEX server_move_beside ON server_move (other_host_id, server_id) WHERE other_host_id IS NOT NULL;
    CREATE TRIGGER server_move_takes_its_share AFTER INSERT ON server_move BEGIN
      UPDATE host SET reserved_vcpus = reserved_vcpus + NEW.vcpus,
        reserved_memory_mib = reserved_memory_mib + NEW.memory_mib,
        reserved_storage_gib = reserved_storage_gib + NEW.storage_gib
      WHERE id = NEW.other_host_id;
    END;
    CREATE TRIGGER server_move_changes_its_share AFTER UPDATE OF other_host_id ON server_move BEGIN
      UPDATE host SET reserved_vcpus = reserved_vcpus - OLD.vcpus,
        reserved_memory_mib = reserved_memory_mib - OLD.memory_mib,
        reserved_storage_gib = reserved_storage_gib - OLD.storage_gib
      WHERE id = OLD.other_host_id;
      UPDATE host SET reserved_vcpus = reserved_vcpus + NEW.vcpus,
        reserved_memory_mib = reserved_memory_mib + NEW.memory_mib,
        reserved_storage_gib = reserved_storage_gib + NEW.storage_gib
      WHERE id = NEW.other_host_id;
    END;
    """
}

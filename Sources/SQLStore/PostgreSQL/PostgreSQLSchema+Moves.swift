extension PostgreSQLSchema {
  /// As `Schema.moves`.
  static let moves = """
    INSERT INTO operation_kind (kind) VALUES ('move');
    ALTER TABLE address ADD COLUMN is_arriving BIGINT NOT NULL DEFAULT 0 CHECK (is_arriving IN (0, 1));

    ALTER TABLE host ADD COLUMN moves_servers_at BIGINT;

    CREATE TABLE server_move (
      operation_id BIGINT PRIMARY KEY REFERENCES operation (id),
      server_id BIGINT NOT NULL REFERENCES server (id),
      from_host_id BIGINT NOT NULL REFERENCES host (id),
      to_host_id BIGINT NOT NULL REFERENCES host (id),
      from_location TEXT COLLATE "C" NOT NULL REFERENCES location (code),
      to_location TEXT COLLATE "C" NOT NULL REFERENCES location (code),
      other_host_id BIGINT REFERENCES host (id),
      vcpus BIGINT NOT NULL,
      memory_mib BIGINT NOT NULL,
      storage_gib BIGINT NOT NULL,
      old_address BIGINT,
      new_address BIGINT,
      off_at BIGINT,
      switched_at BIGINT,
      on_at BIGINT,
      CHECK (from_host_id <> to_host_id)
    );
    CREATE INDEX server_move_of_server ON server_move (server_id);
    CREATE INDEX server_move_from ON server_move (from_host_id) WHERE other_host_id IS NOT NULL;
    CREATE UNIQUE INDEX server_move_beside ON server_move (other_host_id, server_id) WHERE other_host_id IS NOT NULL;

    CREATE FUNCTION server_move_takes_its_share() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
      UPDATE host SET reserved_vcpus = reserved_vcpus + NEW.vcpus,
        reserved_memory_mib = reserved_memory_mib + NEW.memory_mib,
        reserved_storage_gib = reserved_storage_gib + NEW.storage_gib
      WHERE id = NEW.other_host_id;
      RETURN NULL;
    END $$;
    CREATE TRIGGER server_move_takes_its_share AFTER INSERT ON server_move
      FOR EACH ROW EXECUTE FUNCTION server_move_takes_its_share();

    CREATE FUNCTION server_move_changes_its_share() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
      UPDATE host SET reserved_vcpus = reserved_vcpus - OLD.vcpus,
        reserved_memory_mib = reserved_memory_mib - OLD.memory_mib,
        reserved_storage_gib = reserved_storage_gib - OLD.storage_gib
      WHERE id = OLD.other_host_id;
      UPDATE host SET reserved_vcpus = reserved_vcpus + NEW.vcpus,
        reserved_memory_mib = reserved_memory_mib + NEW.memory_mib,
        reserved_storage_gib = reserved_storage_gib + NEW.storage_gib
      WHERE id = NEW.other_host_id;
      RETURN NULL;
    END $$;
    CREATE TRIGGER server_move_changes_its_share AFTER UPDATE OF other_host_id ON server_move
      FOR EACH ROW EXECUTE FUNCTION server_move_changes_its_share();
    """
}

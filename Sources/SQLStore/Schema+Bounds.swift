extension Schema {
  /// The limits of plans are checked; the disks of rescue systems count among what servers have reserved of their host; and a
  /// guest that never tells what became of its user data is not asked for ever.
  static let bounds = """
    -- SQLite adds no CHECK to a column that is there: the table is made anew, with all its rows, and the number of its last one.
    CREATE TABLE new_plan (
      id INTEGER PRIMARY KEY AUTOINCREMENT,
      name TEXT NOT NULL,
      slug TEXT NOT NULL UNIQUE,
      description TEXT NOT NULL,
      vcpus INTEGER NOT NULL CHECK (vcpus > 0),
      memory_mib INTEGER NOT NULL CHECK (memory_mib > 0),
      storage_gib INTEGER NOT NULL CHECK (storage_gib > 0),
      bandwidth_gb INTEGER NOT NULL CHECK (bandwidth_gb >= 0),
      price_per_hour INTEGER NOT NULL CHECK (price_per_hour >= 0),
      is_available INTEGER NOT NULL CHECK (is_available IN (0, 1)),
      uuid TEXT,
      -- 0 for what goes with its processors.
      cpu_weight INTEGER NOT NULL DEFAULT 0 CHECK (cpu_weight BETWEEN 0 AND 10000),
      -- 0 for no limit.
      disk_iops INTEGER NOT NULL DEFAULT 0 CHECK (disk_iops >= 0),
      disk_mib_per_second INTEGER NOT NULL DEFAULT 0 CHECK (disk_mib_per_second >= 0),
      port_speed_mbit INTEGER NOT NULL DEFAULT 0 CHECK (port_speed_mbit >= 0)
    ) STRICT;
    INSERT INTO new_plan (id, name, slug, description, vcpus, memory_mib, storage_gib, bandwidth_gb, price_per_hour,
      is_available, uuid, cpu_weight, disk_iops, disk_mib_per_second, port_speed_mbit)
    SELECT id, name, slug, description, vcpus, memory_mib, storage_gib, bandwidth_gb, price_per_hour, is_available, uuid,
      MAX(0, MIN(10000, cpu_weight)), MAX(0, disk_iops), MAX(0, disk_mib_per_second), port_speed_mbit
    FROM plan;
    UPDATE sqlite_sequence SET seq = (SELECT seq FROM sqlite_sequence WHERE name = 'plan') WHERE name = 'new_plan';
    DROP TABLE plan;
    ALTER TABLE new_plan RENAME TO plan;
    CREATE UNIQUE INDEX plan_uuid ON plan (uuid);

    -- A rescue system has a disk beside its server's, from when it is asked for until it is left.
    ALTER TABLE rescue ADD COLUMN storage_gib INTEGER NOT NULL DEFAULT 4 CHECK (storage_gib > 0);
    UPDATE host SET reserved_storage_gib = reserved_storage_gib + (
      SELECT COALESCE(SUM(rescue.storage_gib), 0) FROM rescue JOIN server ON server.id = rescue.server_id
      WHERE server.host_id = host.id);
    CREATE TRIGGER rescue_takes_its_share AFTER INSERT ON rescue BEGIN
      UPDATE host SET reserved_storage_gib = reserved_storage_gib + NEW.storage_gib
      WHERE id = (SELECT host_id FROM server WHERE server.id = NEW.server_id);
    END;
    CREATE TRIGGER rescue_gives_its_share_back AFTER DELETE ON rescue BEGIN
      UPDATE host SET reserved_storage_gib = reserved_storage_gib - OLD.storage_gib
      WHERE id = (SELECT host_id FROM server WHERE server.id = OLD.server_id);
    END;

    -- Its guest has not told in its time.
    ALTER TABLE server ADD COLUMN is_user_data_unknown INTEGER NOT NULL DEFAULT 0
      CHECK (is_user_data_unknown IN (0, 1));
    """
}

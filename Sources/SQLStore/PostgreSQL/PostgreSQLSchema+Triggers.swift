extension PostgreSQLSchema {
  /// Triggers that keep totals, and those that forbid changes to the ledger.
  static let shares = """
    CREATE FUNCTION repeatable_request_is_new() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
      INSERT INTO repeatable_request_total (account_id, request_count, body_bytes)
      VALUES (NEW.account_id, 1, COALESCE(LENGTH(NEW.sealed_body), 0))
      ON CONFLICT (account_id) DO UPDATE SET
        request_count = repeatable_request_total.request_count + 1,
        body_bytes = repeatable_request_total.body_bytes + excluded.body_bytes;
      RETURN NULL;
    END $$;
    CREATE TRIGGER repeatable_request_is_new AFTER INSERT ON repeatable_request
      FOR EACH ROW EXECUTE FUNCTION repeatable_request_is_new();

    CREATE FUNCTION repeatable_request_is_answered() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
      UPDATE repeatable_request_total
      SET body_bytes = body_bytes + COALESCE(LENGTH(NEW.sealed_body), 0) - COALESCE(LENGTH(OLD.sealed_body), 0)
      WHERE account_id = NEW.account_id;
      RETURN NULL;
    END $$;
    CREATE TRIGGER repeatable_request_is_answered AFTER UPDATE OF sealed_body ON repeatable_request
      FOR EACH ROW EXECUTE FUNCTION repeatable_request_is_answered();

    CREATE FUNCTION repeatable_request_is_forgotten() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
      UPDATE repeatable_request_total
      SET request_count = request_count - 1, body_bytes = body_bytes - COALESCE(LENGTH(OLD.sealed_body), 0)
      WHERE account_id = OLD.account_id;
      RETURN NULL;
    END $$;
    CREATE TRIGGER repeatable_request_is_forgotten AFTER DELETE ON repeatable_request
      FOR EACH ROW EXECUTE FUNCTION repeatable_request_is_forgotten();

    CREATE FUNCTION server_takes_its_share() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
      UPDATE host SET reserved_vcpus = reserved_vcpus + NEW.vcpus,
        reserved_memory_mib = reserved_memory_mib + NEW.memory_mib,
        reserved_storage_gib = reserved_storage_gib + NEW.storage_gib, server_count = server_count + 1
      WHERE id = NEW.host_id;
      RETURN NULL;
    END $$;
    CREATE TRIGGER server_takes_its_share AFTER INSERT ON server
      FOR EACH ROW EXECUTE FUNCTION server_takes_its_share();

    CREATE FUNCTION server_changes_its_share() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
      UPDATE host SET reserved_vcpus = reserved_vcpus - OLD.vcpus,
        reserved_memory_mib = reserved_memory_mib - OLD.memory_mib,
        reserved_storage_gib = reserved_storage_gib - OLD.storage_gib, server_count = server_count - 1
      WHERE id = OLD.host_id AND OLD.erased_at IS NULL;
      UPDATE host SET reserved_vcpus = reserved_vcpus + NEW.vcpus,
        reserved_memory_mib = reserved_memory_mib + NEW.memory_mib,
        reserved_storage_gib = reserved_storage_gib + NEW.storage_gib, server_count = server_count + 1
      WHERE id = NEW.host_id AND NEW.erased_at IS NULL;
      RETURN NULL;
    END $$;
    CREATE TRIGGER server_changes_its_share AFTER UPDATE OF vcpus, memory_mib, storage_gib, host_id, erased_at ON server
      FOR EACH ROW EXECUTE FUNCTION server_changes_its_share();

    CREATE FUNCTION ledger_entry_is_never_changed() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
      RAISE EXCEPTION 'the ledger is append-only' USING ERRCODE = 'integrity_constraint_violation';
      RETURN NULL;
    END $$;
    CREATE TRIGGER ledger_entry_is_never_changed BEFORE UPDATE ON ledger_entry
      FOR EACH ROW EXECUTE FUNCTION ledger_entry_is_never_changed();

    CREATE FUNCTION ledger_entry_is_never_deleted() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
      RAISE EXCEPTION 'the ledger is append-only' USING ERRCODE = 'integrity_constraint_violation';
      RETURN NULL;
    END $$;
    CREATE TRIGGER ledger_entry_is_never_deleted BEFORE DELETE ON ledger_entry
      FOR EACH ROW EXECUTE FUNCTION ledger_entry_is_never_deleted();

    CREATE FUNCTION server_usage_begins_month() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
      INSERT INTO server_traffic (server_id, month, received_bytes, sent_bytes)
        VALUES (OLD.server_id, OLD.month, OLD.received_bytes, OLD.sent_bytes) ON CONFLICT (server_id, month) DO NOTHING;
      RETURN NULL;
    END $$;
    CREATE TRIGGER server_usage_begins_month AFTER UPDATE OF month ON server_usage
      FOR EACH ROW WHEN (NEW.month <> OLD.month AND OLD.month > 0) EXECUTE FUNCTION server_usage_begins_month();

    CREATE FUNCTION rescue_takes_its_share() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
      UPDATE host SET reserved_storage_gib = reserved_storage_gib + NEW.storage_gib
      WHERE id = (SELECT host_id FROM server WHERE server.id = NEW.server_id);
      RETURN NULL;
    END $$;
    CREATE TRIGGER rescue_takes_its_share AFTER INSERT ON rescue
      FOR EACH ROW EXECUTE FUNCTION rescue_takes_its_share();

    CREATE FUNCTION rescue_gives_its_share_back() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
      UPDATE host SET reserved_storage_gib = reserved_storage_gib - OLD.storage_gib
      WHERE id = (SELECT host_id FROM server WHERE server.id = OLD.server_id);
      RETURN NULL;
    END $$;
    CREATE TRIGGER rescue_gives_its_share_back AFTER DELETE ON rescue
      FOR EACH ROW EXECUTE FUNCTION rescue_gives_its_share_back();
    """

  /// Triggers that write events, and those that delete what belongs to an operation when it is over.
  static let events = """
    CREATE FUNCTION event_is_kept_for_a_while() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
      DELETE FROM event WHERE id <= NEW.id - 100000;
      RETURN NULL;
    END $$;
    CREATE TRIGGER event_is_kept_for_a_while AFTER INSERT ON event
      FOR EACH ROW EXECUTE FUNCTION event_is_kept_for_a_while();

    CREATE FUNCTION server_is_new() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
      INSERT INTO event (account_id, server_id, what, at)
      VALUES (NEW.account_id, NEW.id, NEW.status, NEW.created_at);
      RETURN NULL;
    END $$;
    CREATE TRIGGER server_is_new AFTER INSERT ON server
      FOR EACH ROW EXECUTE FUNCTION server_is_new();

    CREATE FUNCTION server_status_changes() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
      INSERT INTO event (account_id, server_id, what, at)
      VALUES (NEW.account_id, NEW.id, NEW.status, NEW.updated_at);
      RETURN NULL;
    END $$;
    CREATE TRIGGER server_status_changes AFTER UPDATE OF status ON server
      FOR EACH ROW WHEN (OLD.status <> NEW.status AND NEW.deleted_at IS NULL) EXECUTE FUNCTION server_status_changes();

    CREATE FUNCTION server_is_deleted() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
      INSERT INTO event (account_id, server_id, what, at)
      VALUES (NEW.account_id, NEW.id, 'deleted', NEW.deleted_at);
      RETURN NULL;
    END $$;
    CREATE TRIGGER server_is_deleted AFTER UPDATE OF deleted_at ON server
      FOR EACH ROW WHEN (OLD.deleted_at IS NULL AND NEW.deleted_at IS NOT NULL) EXECUTE FUNCTION server_is_deleted();

    CREATE FUNCTION operation_is_new() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
      INSERT INTO event (account_id, server_id, operation_id, what, at)
      SELECT account_id, id, NEW.id, NEW.state, NEW.created_at FROM server WHERE id = NEW.server_id;
      RETURN NULL;
    END $$;
    CREATE TRIGGER operation_is_new AFTER INSERT ON operation
      FOR EACH ROW EXECUTE FUNCTION operation_is_new();

    CREATE FUNCTION operation_state_changes() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
      INSERT INTO event (account_id, server_id, operation_id, what, at)
      SELECT account_id, id, NEW.id, NEW.state, COALESCE(NEW.finished_at, NEW.started_at, NEW.created_at)
      FROM server WHERE id = NEW.server_id;
      RETURN NULL;
    END $$;
    CREATE TRIGGER operation_state_changes AFTER UPDATE OF state ON operation
      FOR EACH ROW WHEN (OLD.state <> NEW.state) EXECUTE FUNCTION operation_state_changes();

    CREATE FUNCTION rebuild_is_over() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
      DELETE FROM rebuild WHERE operation_id = NEW.id;
      RETURN NULL;
    END $$;
    CREATE TRIGGER rebuild_is_over AFTER UPDATE OF finished_at ON operation
      FOR EACH ROW WHEN (NEW.finished_at IS NOT NULL AND NEW.kind = 'rebuild') EXECUTE FUNCTION rebuild_is_over();

    CREATE FUNCTION rescue_is_not_entered() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
      DELETE FROM rescue WHERE server_id = NEW.server_id AND is_entered = 0;
      RETURN NULL;
    END $$;
    CREATE TRIGGER rescue_is_not_entered AFTER UPDATE OF finished_at ON operation
      FOR EACH ROW WHEN (NEW.finished_at IS NOT NULL AND NEW.kind = 'rescue') EXECUTE FUNCTION rescue_is_not_entered();
    """
}

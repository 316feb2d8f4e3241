import Core
import TestSupport

@testable import SQLStore

/// For how long the store refuses to write down what steps came to, after the driver has done their work.
enum StoreOutage: CaseIterable {
  case once, minutes, untilProcessDies
}

extension TestService {
  /// As a disk that is full at the moment: everything else is written.
  func refuseOutcomes() async throws {
    try await database.write { database in try database.runScript(TestDatabase.isSQLite ? Self.inFile : Self.onServer) }
  }

  private static let inFile = """
    CREATE TRIGGER outcome_is_refused BEFORE UPDATE ON operation
    WHEN OLD.lease_token IS NOT NULL AND NEW.lease_token IS NULL
    BEGIN SELECT RAISE(ABORT, 'there is no room'); END
    """
  private static let onServer = """
    CREATE OR REPLACE FUNCTION outcome_is_refused() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
      RAISE EXCEPTION 'there is no room' USING ERRCODE = 'disk_full';
    END $$;
    CREATE TRIGGER outcome_is_refused BEFORE UPDATE ON operation FOR EACH ROW
      WHEN (OLD.lease_token IS NOT NULL AND NEW.lease_token IS NULL) EXECUTE FUNCTION outcome_is_refused();
    """

  func acceptOutcomes() async throws {
    let sql = "DROP TRIGGER outcome_is_refused" + (TestDatabase.isSQLite ? "" : " ON operation")
    _ = try await database.write { database in try database.run(sql) }
  }

  /// The same for hosts that go away.
  func refuseAbsences() async throws {
    try await database.write { database in
      try database.runScript(
        TestDatabase.isSQLite
          ? """
          CREATE TRIGGER absence_is_refused BEFORE UPDATE OF away_since ON host WHEN NEW.away_since IS NOT NULL
          BEGIN SELECT RAISE(ABORT, 'there is no room'); END
          """
          : """
          CREATE OR REPLACE FUNCTION absence_is_refused() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
            RAISE EXCEPTION 'there is no room' USING ERRCODE = 'disk_full';
          END $$;
          CREATE TRIGGER absence_is_refused BEFORE UPDATE OF away_since ON host FOR EACH ROW
            WHEN (NEW.away_since IS NOT NULL) EXECUTE FUNCTION absence_is_refused();
          """)
    }
  }

  func acceptAbsences() async throws {
    let sql = "DROP TRIGGER absence_is_refused" + (TestDatabase.isSQLite ? "" : " ON host")
    _ = try await database.write { database in try database.run(sql) }
  }
}

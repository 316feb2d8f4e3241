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
    _ = try await database.write { database in
      try database.run(
        """
        CREATE TRIGGER outcome_is_refused BEFORE UPDATE ON operation
        WHEN OLD.lease_token IS NOT NULL AND NEW.lease_token IS NULL
        BEGIN SELECT RAISE(ABORT, 'there is no room'); END
        """)
    }
  }

  func acceptOutcomes() async throws {
    _ = try await database.write { database in try database.run("DROP TRIGGER outcome_is_refused") }
  }
}

import GRDB

/// The tables, as a list of migrations. One that was released is never changed again.
enum Schema {
  static var migrator: DatabaseMigrator {
    var migrator = DatabaseMigrator()
    migrator.registerMigration("1 first release", foreignKeyChecks: .immediate) { database in
      try database.execute(sql: firstRelease)
    }
    migrator.registerMigration("2 whole contract", foreignKeyChecks: .immediate) { database in
      try migrateToWholeContract(database)
    }
    migrator.registerMigration("3 disk copies", foreignKeyChecks: .immediate) { database in
      try migrateToDiskCopies(database)
    }
    migrator.registerMigration("4 whole audit", foreignKeyChecks: .immediate) { database in
      try database.execute(sql: wholeAudit)
    }
    migrator.registerMigration("6 principals", foreignKeyChecks: .immediate) { database in
      try database.execute(sql: principals)
    }
    return migrator
  }

  /// Before anything else: making a pool of a database writes in it.
  static func refuseNewer(_ path: String, _ configuration: Configuration) throws {
    let connection = try DatabaseQueue(path: path, configuration: configuration)
    defer { try? connection.close() }
    guard try !connection.inDatabase({ try migrator.hasBeenSuperseded($0) }) else { throw DatabaseIsNewer(path: path) }
  }
}

package struct DatabaseIsNewer: Error, CustomStringConvertible {
  package let path: String

  package var description: String {
    "the database \(path) was written by a newer version of this program, and is left as it is"
  }
}

import GRDB

/// The tables, as a list of migrations. One that was released is never changed again.
enum Schema {
  static var migrator: DatabaseMigrator {
    var migrator = DatabaseMigrator()
    migrator.registerMigration("1 first release", foreignKeyChecks: .immediate) { database in
      try database.execute(sql: firstRelease)
    }
    return migrator
  }

  static func update(_ pool: DatabasePool) throws {
    let migrator = migrator
    let isNewer = try pool.writeWithoutTransaction { database in try migrator.hasBeenSuperseded(database) }
    guard !isNewer else { throw DatabaseIsNewer(path: pool.path) }
    do {
      try migrator.migrate(pool)
    } catch {
      // Another process that was started at the same moment may have done it.
      let isDone = try pool.writeWithoutTransaction { database in try migrator.hasCompletedMigrations(database) }
      guard isDone else { throw error }
    }
  }
}

package struct DatabaseIsNewer: Error, CustomStringConvertible {
  package let path: String

  package var description: String {
    "the database \(path) was written by a newer version of this program, and is left as it is"
  }
}

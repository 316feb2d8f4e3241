import GRDB

/// The tables, as a list of migrations. A released migration is never changed again, nor is its identifier, which databases
/// store.
enum Schema {
  static var migrator: DatabaseMigrator {
    var migrator = DatabaseMigrator()
    migrator.registerMigration("1 first release", foreignKeyChecks: .immediate) { database in
      try database.runScript(accountsAndServers)
    }
    migrator.registerMigration("2 whole contract", foreignKeyChecks: .immediate) { database in
      try migrateToRequestsAndEvents(database)
    }
    migrator.registerMigration("3 disk copies", foreignKeyChecks: .immediate) { database in
      try migrateToDiskCopies(database)
    }
    migrator.registerMigration("4 whole audit", foreignKeyChecks: .immediate) { database in
      try database.runScript(operatorAudit)
    }
    migrator.registerMigration("5 principals", foreignKeyChecks: .immediate) { database in
      try database.runScript(principals)
    }
    migrator.registerMigration("6 clocks", foreignKeyChecks: .immediate) { database in
      try database.runScript(scheduledAt)
    }
    // SQLite adds a column with a foreign key only while foreign keys are not enforced.
    migrator.registerMigration("7 hosts") { database in
      try database.runScript(hosts)
    }
    migrator.registerMigration("8 addresses") { database in
      try migrateToAddresses(database)
    }
    migrator.registerMigration("9 billing") { database in
      try database.runScript(billing)
    }
    migrator.registerMigration("10 network interfaces", foreignKeyChecks: .immediate) { database in
      try database.runScript(networkInterfaces)
    }
    migrator.registerMigration("11 statements") { database in
      try database.runScript(statements)
    }
    migrator.registerMigration("12 notices") { database in
      try database.runScript(notices)
    }
    migrator.registerMigration("13 firewalls", foreignKeyChecks: .immediate) { database in
      try database.runScript(firewalls)
    }
    migrator.registerMigration("14 several addresses", foreignKeyChecks: .immediate) { database in
      try database.runScript(severalAddresses)
    }
    migrator.registerMigration("15 usernames") { database in
      try database.runScript(usernames)
    }
    migrator.registerMigration("16 customer options", foreignKeyChecks: .immediate) { database in
      try database.runScript(customerOptions)
    }
    migrator.registerMigration("17 plan limits") { database in
      try database.runScript(planLimits)
    }
    migrator.registerMigration("18 port speeds", foreignKeyChecks: .immediate) { database in
      try database.runScript(portSpeeds)
    }
    migrator.registerMigration("19 sessions") { database in
      try database.runScript(sessions)
    }
    migrator.registerMigration("20 metrics") { database in
      try database.runScript(metrics)
    }
    // A table that others refer to is only replaced while foreign keys are not enforced.
    migrator.registerMigration("21 bounds") { database in
      try database.runScript(bounds)
    }
    migrator.registerMigration("22 operators") { database in
      try database.runScript(operators)
    }
    migrator.registerMigration("23 firewall order") { database in
      try database.runScript(firewallOrder)
    }
    migrator.registerMigration("24 mailed links") { database in
      try database.runScript(mailedLinks)
    }
    migrator.registerMigration("25 replicas", foreignKeyChecks: .immediate) { database in
      try database.runScript(replicas)
    }
    migrator.registerMigration("26 reverse names") { database in
      try database.runScript(reverseNames)
    }
    migrator.registerMigration("27 backups by host") { database in
      try database.runScript(backupsByHost)
    }
    migrator.registerMigration("28 network names") { database in
      try database.runScript(networkNames)
    }
    migrator.registerMigration("29 own hosts") { database in
      try database.runScript(ownHosts)
    }
    migrator.registerMigration("30 instant servers") { database in
      try database.runScript(instantServers)
    }
    migrator.registerMigration("31 moves") { database in
      try database.runScript(moves)
    }
    migrator.registerMigration("32 fences") { database in
      try database.runScript(fences)
    }
    migrator.registerMigration("33 long lists", foreignKeyChecks: .immediate) { database in
      try database.runScript(longLists)
    }
    migrator.registerMigration("34 claimable operations") { database in
      try database.runScript(claimableOperations)
    }
    return migrator
  }

  /// Throws where the database has another version than it may. To be called first, because making a pool writes to the file.
  static func requireFit(_ path: String, _ opening: SQLStore.Opening, _ configuration: Configuration) throws {
    let connection = try DatabaseQueue(path: path, configuration: configuration)
    defer { try? connection.close() }
    let (isNewer, isCurrent) = try connection.inDatabase { database in
      (try migrator.hasBeenSuperseded(database), try migrator.hasCompletedMigrations(database))
    }
    if isNewer { throw DatabaseIsNewer(path: path) }
    if opening == .asItIs, !isCurrent { throw DatabaseIsOlder(path: path) }
  }

  /// The statements that make tables, indices and triggers, without spaces and quotes.
  static func statements(_ database: Database) throws -> Set<String> {
    let statements = try String.fetchAll(
      database, sql: "SELECT sql FROM sqlite_master WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite_%'")
    return Set(statements.map { $0.filter { !$0.isWhitespace && $0 != "\"" } })
  }

  /// Whether the database has exactly the tables that this version or an earlier one has made.
  static func isOurs(_ connection: DatabaseQueue) throws -> Bool {
    let applied = try connection.inDatabase { try migrator.appliedMigrations($0) }
    guard let last = applied.last, applied == Array(migrator.migrations.prefix(applied.count)) else { return false }
    let standard = try DatabaseQueue()
    try migrator.migrate(standard, upTo: last)
    return try connection.inDatabase(statements) == standard.inDatabase(statements)
  }
}

package struct DatabaseIsNewer: Error, CustomStringConvertible {
  package let path: String

  package var description: String {
    "The database \(path) was written by a newer version of this program, and is left as it is."
  }
}

package struct DatabaseIsOlder: Error, CustomStringConvertible {
  package let path: String

  package var description: String {
    "The database \(path) was written by an earlier version of this program. Start the service of this version, which "
      + "brings it up to date."
  }
}

package struct DatabaseIsMissing: Error, CustomStringConvertible {
  package let path: String

  package var description: String { "There is no database at \(path): start the service once." }
}

import CSQLite

extension SQLStore {
  /// SQLite counts the memory that it uses under one lock of the process, for which its connections wait at each allocation; nobody reads
  /// the count. To be called before anything else of SQLite, once.
  package static func countNoMemory() {
    let result = sqlite3_config_memstatus(0)
    assert(result == SQLITE_OK, "SQLite has been used already")
  }
}

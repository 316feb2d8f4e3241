import Foundation
import GRDB

/// For migrations, and for what is done once.
extension Database: SQLConnection {
  func query(
    _ sql: String, _ arguments: SQLArguments, isKept: Bool, _ read: (inout RowReader) throws -> Void
  ) throws {
    let statement = try isKept ? cachedStatement(sql: sql) : makeStatement(sql: sql)
    let cursor = try Row.fetchCursor(statement, arguments: StatementArguments(arguments))
    while let row = try cursor.next() {
      var reader = RowReader(row)
      try read(&reader)
    }
  }

  @discardableResult
  func run(_ sql: String, _ arguments: SQLArguments) throws -> Int {
    try cachedStatement(sql: sql).execute(arguments: StatementArguments(arguments))
    return changesCount
  }

  func runScript(_ sql: String) throws {
    try execute(sql: sql)
  }

  func damage() throws -> [String] { try damageOfFile() }
}

extension SQLConnection {
  func damageOfFile() throws -> [String] {
    let damage = try rows("PRAGMA integrity_check") { row in try row.next(String.self) }
    let orphans = try rows("PRAGMA foreign_key_check") { row in try row.next(String.self) }
    return damage.filter { $0 != "ok" } + orphans.map { "a row of \($0) refers to nothing" }
  }
}

extension Row: SQLRow {
  func value(at index: Int) -> SQLValue? {
    let stored: DatabaseValue = self[index]
    return switch stored.storage {
    case .null: .null
    case .int64(let number): .integer(number)
    case .string(let text): .text(text)
    case .blob(let bytes): .blob([UInt8](bytes))
    case .double: nil
    }
  }

  func name(at index: Int) -> String { Array(columnNames)[index] }
}

extension StatementArguments {
  fileprivate init(_ arguments: SQLArguments) {
    self.init(arguments.map { $0?.stored.databaseValue ?? .null })
  }
}

extension SQLValue {
  fileprivate var databaseValue: DatabaseValue {
    switch self {
    case .null: .null
    case .integer(let number): number.databaseValue
    case .text(let text): text.databaseValue
    case .blob(let bytes): Data(bytes).databaseValue
    }
  }
}

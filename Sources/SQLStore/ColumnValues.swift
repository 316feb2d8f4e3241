import Core
import GRDB

import struct Foundation.UUID

// How the domain's values are stored: numbers, amounts, addresses and times as integers, all others as text.

extension ID: DatabaseValueConvertible {
  var databaseValue: DatabaseValue { value.databaseValue }
  static func fromDatabaseValue(_ stored: DatabaseValue) -> Self? { Int64.fromDatabaseValue(stored).map(Self.init) }
}

extension Timestamp: DatabaseValueConvertible {
  var databaseValue: DatabaseValue { millisecondsSinceEpoch.databaseValue }
  static func fromDatabaseValue(_ stored: DatabaseValue) -> Self? {
    Int64.fromDatabaseValue(stored).map(Self.init(millisecondsSinceEpoch:))
  }
}

extension Money: DatabaseValueConvertible {
  var databaseValue: DatabaseValue { microunits.databaseValue }
  static func fromDatabaseValue(_ stored: DatabaseValue) -> Self? {
    Int64.fromDatabaseValue(stored).map(Self.init(microunits:))
  }
}

extension IPv4Address: DatabaseValueConvertible {
  var databaseValue: DatabaseValue { number.databaseValue }
  static func fromDatabaseValue(_ stored: DatabaseValue) -> Self? {
    UInt32.fromDatabaseValue(stored).map(Self.init(number:))
  }
}

extension ServerName: DatabaseValueConvertible {
  var databaseValue: DatabaseValue { name.databaseValue }
  static func fromDatabaseValue(_ stored: DatabaseValue) -> Self? {
    String.fromDatabaseValue(stored).flatMap { Self($0) }
  }
}

extension Hostname: DatabaseValueConvertible {
  var databaseValue: DatabaseValue { name.databaseValue }
  static func fromDatabaseValue(_ stored: DatabaseValue) -> Self? {
    String.fromDatabaseValue(stored).flatMap { Self($0) }
  }
}

extension TokenHash: DatabaseValueConvertible {
  var databaseValue: DatabaseValue { hexadecimal.databaseValue }
  static func fromDatabaseValue(_ stored: DatabaseValue) -> Self? {
    String.fromDatabaseValue(stored).map(Self.init(hexadecimal:))
  }
}

extension CopyName: DatabaseValueConvertible {
  var databaseValue: DatabaseValue { name.databaseValue }
  static func fromDatabaseValue(_ stored: DatabaseValue) -> Self? {
    String.fromDatabaseValue(stored).flatMap { Self($0) }
  }
}

extension ServerStatus: DatabaseValueConvertible {}
extension DiskCopy.Kind: DatabaseValueConvertible {}
extension DiskCopy.Status: DatabaseValueConvertible {}
extension Operation.Kind: DatabaseValueConvertible {}
extension Operation.State: DatabaseValueConvertible {}
extension LedgerReason: DatabaseValueConvertible {}

extension UUID {
  /// GRDB would store the 16 bytes, which no person can read in a shell.
  var text: String { uuidString.lowercased() }
}

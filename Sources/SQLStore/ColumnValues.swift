import Core

import struct Foundation.UUID

/// A value that is stored in one column: numbers, amounts, addresses and times as integers, all others as text.
protocol ColumnValue: Sendable {
  var stored: SQLValue { get }
  /// Nil where what is stored does not fit.
  init?(stored: SQLValue)
  /// The same for a column of a row.
  init?(from row: any SQLRow, at index: Int)
}

extension ColumnValue {
  init?(from row: any SQLRow, at index: Int) {
    guard let value = row.value(at: index) else { return nil }
    self.init(stored: value)
  }
}

// MARK: What databases know

extension ColumnValue where Self: FixedWidthInteger {
  var stored: SQLValue { .integer(Int64(self)) }
  init?(stored: SQLValue) {
    guard case .integer(let number) = stored else { return nil }
    self.init(exactly: number)
  }
}

extension Int: ColumnValue {}
extension Int64: ColumnValue {}
extension UInt32: ColumnValue {}

extension Bool: ColumnValue {
  var stored: SQLValue { .integer(self ? 1 : 0) }
  init?(stored: SQLValue) {
    guard case .integer(let number) = stored else { return nil }
    self = number != 0
  }
}

extension String: ColumnValue {
  var stored: SQLValue { .text(self) }
  init?(stored: SQLValue) {
    guard case .text(let text) = stored else { return nil }
    self = text
  }
}

extension [UInt8]: ColumnValue {
  var stored: SQLValue { .blob(self) }
  init?(stored: SQLValue) {
    guard case .blob(let bytes) = stored else { return nil }
    self = bytes
  }
}

extension Optional: ColumnValue where Wrapped: ColumnValue {
  var stored: SQLValue { self?.stored ?? .null }
  init?(stored: SQLValue) {
    if case .null = stored {
      self = .none
    } else if let value = Wrapped(stored: stored) {
      self = .some(value)
    } else {
      return nil
    }
  }
}

extension ColumnValue where Self: RawRepresentable, RawValue: ColumnValue {
  var stored: SQLValue { rawValue.stored }
  init?(stored: SQLValue) {
    guard let rawValue = RawValue(stored: stored) else { return nil }
    self.init(rawValue: rawValue)
  }
}

// MARK: Values of the domain

extension ID: ColumnValue {
  var stored: SQLValue { value.stored }
  init?(stored: SQLValue) {
    guard let value = Int64(stored: stored) else { return nil }
    self.init(value)
  }
}

extension Timestamp: ColumnValue {
  var stored: SQLValue { millisecondsSinceEpoch.stored }
  init?(stored: SQLValue) {
    guard let milliseconds = Int64(stored: stored) else { return nil }
    self.init(millisecondsSinceEpoch: milliseconds)
  }
}

extension Money: ColumnValue {
  var stored: SQLValue { microunits.stored }
  init?(stored: SQLValue) {
    guard let microunits = Int64(stored: stored) else { return nil }
    self.init(microunits: microunits)
  }
}

extension IPv4Address: ColumnValue {
  var stored: SQLValue { number.stored }
  init?(stored: SQLValue) {
    guard let number = UInt32(stored: stored) else { return nil }
    self.init(number: number)
  }
}

extension HardwareAddress: ColumnValue {
  var stored: SQLValue { .integer(Int64(number)) }
  init?(stored: SQLValue) {
    guard case .integer(let number) = stored, number >= 0 else { return nil }
    self.init(number: UInt64(number))
  }
}

extension ServerName: ColumnValue {
  var stored: SQLValue { name.stored }
  init?(stored: SQLValue) {
    guard let name = String(stored: stored) else { return nil }
    self.init(name)
  }
}

extension Hostname: ColumnValue {
  var stored: SQLValue { name.stored }
  init?(stored: SQLValue) {
    guard let name = String(stored: stored) else { return nil }
    self.init(name)
  }
}

extension TokenHash: ColumnValue {
  var stored: SQLValue { hexadecimal.stored }
  init?(stored: SQLValue) {
    guard let hexadecimal = String(stored: stored) else { return nil }
    self.init(hexadecimal: hexadecimal)
  }
}

extension CopyName: ColumnValue {
  var stored: SQLValue { name.stored }
  init?(stored: SQLValue) {
    guard let name = String(stored: stored) else { return nil }
    self.init(name)
  }
}

extension UUID: ColumnValue {
  var stored: SQLValue { text.stored }
  init?(stored: SQLValue) {
    guard let text = String(stored: stored) else { return nil }
    self.init(text: text)
  }
  /// There is one in each row of the longest lists, and a text would be made for each.
  init?(from row: any SQLRow, at index: Int) {
    guard let uuid = row.uuid(at: index) else { return nil }
    self = uuid
  }
}

extension ServerStatus: ColumnValue {}
extension DiskCopy.Kind: ColumnValue {}
extension DiskCopy.Status: ColumnValue {}
extension Core.Operation.Kind: ColumnValue {}
extension Core.Operation.State: ColumnValue {}
extension LedgerReason: ColumnValue {}
extension Host.Fence: ColumnValue {}

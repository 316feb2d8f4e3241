import Core

/// Reads the fields of a body one by one and collects what is wrong with each, so that the customer learns of everything at
/// once. A field that is absent or wrong is nil.
struct FieldReader {
  private let fields: [String: JSONValue]
  private(set) var errors = FieldErrors()

  init(_ fields: [String: JSONValue]) {
    self.fields = fields
  }

  mutating func string(_ name: String, isRequired: Bool) -> String? {
    guard let value = present(name, isRequired: isRequired) else { return nil }
    guard case .string(let text) = value else { return reject(name, "Not a valid string.") }
    if text.unicodeScalars.contains("\0") { return reject(name, "Null characters are not allowed.") }
    let trimmed = text.trimmingWhitespace()
    return trimmed.isEmpty ? reject(name, "This field may not be blank.") : trimmed
  }

  /// - Parameter isNullable: Whether `null` means the same as leaving the field out.
  mutating func integer(_ name: String, isRequired: Bool, isNullable: Bool = false) -> Int64? {
    if isNullable, fields[name] == .null { return nil }
    guard let value = present(name, isRequired: isRequired) else { return nil }
    switch value {
    case .integer(let number): return number
    case .string(let text): if let number = Int64(text.trimmingWhitespace()) { return number }
    default: break
    }
    return reject(name, "A valid integer is required.")
  }

  mutating func boolean(_ name: String, isRequired: Bool) -> Bool? {
    guard let value = present(name, isRequired: isRequired) else { return nil }
    switch value {
    case .bool(let flag): return flag
    case .integer(0), .string("false"), .string("False"), .string("0"): return false
    case .integer(1), .string("true"), .string("True"), .string("1"): return true
    default: return reject(name, "Must be a valid boolean.")
    }
  }

  private mutating func present(_ name: String, isRequired: Bool) -> JSONValue? {
    switch fields[name] {
    case nil: isRequired ? reject(name, "This field is required.") : nil
    case .null?: reject(name, "This field may not be null.")
    case let value?: value
    }
  }

  private mutating func reject<Value>(_ name: String, _ message: String) -> Value? {
    errors.add(name, message)
    return nil
  }
}

extension String {
  fileprivate func trimmingWhitespace() -> String {
    var text = self[...]
    while let first = text.first, first.isWhitespace { text.removeFirst() }
    while let last = text.last, last.isWhitespace { text.removeLast() }
    return String(text)
  }
}

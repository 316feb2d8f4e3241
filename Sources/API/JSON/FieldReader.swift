import Core

/// Reads the fields of a body one by one and collects what is wrong with each, so that the customer learns of everything at
/// once. A field that is absent or wrong is nil.
struct FieldReader {
  private let fields: JSONObject
  private let maximumElements: Int
  private(set) var errors = WireErrors()

  /// - Parameter maximumElements: How many a list may have.
  init(_ fields: JSONObject, maximumElements: Int) {
    self.fields = fields
    self.maximumElements = maximumElements
  }

  /// Whether nothing is wrong with what was read so far.
  var isWhole: Bool { errors.isEmpty }

  /// Carries out what was read. What turns out to be wrong with its meaning is told together with what could not be read, by the
  /// names that the client used, and in the order in which they are documented.
  func carryOut<Outcome>(
    order: [String], names: FieldNames = FieldNames(), _ work: () async throws -> Outcome
  ) async throws -> Outcome {
    do {
      return try await work()
    } catch let failure as Failure {
      guard case .invalidFields(let found) = failure.code else { throw failure }
      var errors = errors
      errors.add(found, by: names)
      try errors.throwIfAny(order: order)
      throw failure
    }
  }

  /// - Parameter isNullable: Whether `null` means the same as leaving the field out.
  mutating func string(
    _ name: String, isRequired: Bool, isNullable: Bool = false, mayBeBlank: Bool = false
  ) -> String? {
    if isNullable, fields[name]?.isNull == true { return nil }
    guard let value = present(name, isRequired: isRequired) else { return nil }
    guard case .string(let text) = value else { return reject(name, "Not a valid string.") }
    if text.unicodeScalars.contains("\0") { return reject(name, "Null characters are not allowed.") }
    let trimmed = text.trimmingWhitespace()
    return trimmed.isEmpty && !mayBeBlank ? reject(name, "This field may not be blank.") : trimmed
  }

  /// - Parameter isNullable: Whether `null` means the same as leaving the field out.
  mutating func integer(_ name: String, isRequired: Bool, isNullable: Bool = false) -> Int64? {
    if isNullable, fields[name]?.isNull == true { return nil }
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
    case .integer(0): return false
    case .integer(1): return true
    case .string(let text) where text.isPlain(atMost: 5):
      if ["false", "False", "0"].contains(text) { return false }
      if ["true", "True", "1"].contains(text) { return true }
    default: break
    }
    return reject(name, "Must be a valid boolean.")
  }

  func has(_ name: String) -> Bool { fields[name] != nil }

  /// Whether it has a value; `null` is none.
  func isGiven(_ name: String) -> Bool { fields[name].map { !$0.isNull } ?? false }

  mutating func add(_ name: String, _ message: String) { errors.add(name, message) }

  /// A text, or a number as its digits.
  mutating func text(_ name: String, isRequired: Bool) -> String? {
    if case .integer(let number)? = fields[name] { return String(number) }
    return string(name, isRequired: isRequired)
  }

  /// A number or a uuid.
  mutating func reference<Entity>(_ name: String, isRequired: Bool) -> Reference<Entity>? {
    guard let value = present(name, isRequired: isRequired) else { return nil }
    return reference(value) ?? reject(name, "A valid integer or UUID is required.")
  }

  /// A list of numbers or uuids; `null` and no field at all are an empty one.
  mutating func references<Entity>(_ name: String) -> [Reference<Entity>] {
    switch fields[name] {
    case nil, .null?: return []
    case .array(let values)?:
      guard isShort(values, name) else { return [] }
      return values.compactMap { reference($0) ?? reject(name, "A valid integer or UUID is required.") }
    case let value?:
      errors.add(name, "Expected a list of items but got type \"\(value.typeName)\".")
      return []
    }
  }

  private func reference<Entity>(_ value: JSONValue) -> Reference<Entity>? {
    switch value {
    case .integer(let number): .id(ID(number))
    case .string(let text): Reference(text.trimmingWhitespace())
    default: nil
    }
  }

  /// A list of texts, which must be there.
  mutating func strings(_ name: String) -> [String]? {
    guard let value = present(name, isRequired: true) else { return nil }
    guard case .array(let values) = value else {
      return reject(name, "Expected a list of items but got type \"\(value.typeName)\".")
    }
    guard isShort(values, name) else { return nil }
    var texts: [String] = []
    for value in values {
      guard case .string(let text) = value else { return reject(name, "Not a valid string.") }
      texts.append(text)
    }
    return texts
  }

  private mutating func isShort(_ values: [JSONValue], _ name: String) -> Bool {
    guard values.count > maximumElements else { return true }
    errors.add(name, "Ensure this field has no more than \(maximumElements) elements.")
    return false
  }

  /// One of the choices.
  mutating func choice<Value>(_ name: String, of choices: [(text: String, value: Value)]) -> Value? {
    guard let text = string(name, isRequired: true) else { return nil }
    if text.isPlain(atMost: 64), let choice = choices.first(where: { $0.text == text }) { return choice.value }
    return reject(name, "\(text.quoted) is not a valid choice.")
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
    guard let first = unicodeScalars.firstIndex(where: { !$0.isSpace }),
      let last = unicodeScalars.lastIndex(where: { !$0.isSpace })
    else { return "" }
    return String(unicodeScalars[first...last])
  }
}

extension Unicode.Scalar {
  fileprivate var isSpace: Bool {
    switch value {
    case 0x20, 0x09...0x0D: true
    case 0..<0x80: false
    default: properties.isWhitespace
    }
  }
}

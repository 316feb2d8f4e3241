import Core

/// Reads the fields of a body one by one and collects what is wrong with each, so that the customer learns of everything at
/// once. A field that is absent or wrong is nil.
struct FieldReader {
  private let fields: JSONObject
  private let maximumElements: Int
  private(set) var errors = WireErrors()

  /// - Parameter maximumElements: How many elements a list may have.
  init(_ fields: JSONObject, maximumElements: Int) {
    self.fields = fields
    self.maximumElements = maximumElements
  }

  /// Whether everything that was read so far is valid.
  var isWhole: Bool { errors.isEmpty }

  /// Runs `work` with what was read. If it throws `invalidFields`, those errors are thrown together with the errors of
  /// reading, by the names that the client used, in the documented order.
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

  /// A text with all its white space; nil for `null`.
  mutating func verbatim(_ name: String) -> String? {
    guard isGiven(name), let value = present(name, isRequired: false) else { return nil }
    guard case .string(let text) = value else { return reject(name, "Not a valid string.") }
    return text
  }

  /// The members of an object whose names are data.
  mutating func members(_ name: String) -> [(name: String, value: JSONValue)]? {
    guard let value = present(name, isRequired: false) else { return nil }
    guard case .object(let object) = value else {
      return reject(name, "Expected a dictionary of items but got type \"\(value.typeName)\".")
    }
    return object.members
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

  /// Whether the field is present and not `null`.
  func isGiven(_ name: String) -> Bool { fields[name].map { !$0.isNull } ?? false }

  mutating func add(_ name: String, _ message: String) { errors.add(name, message) }

  mutating func add(_ name: String, inside content: WireErrors.Content) { errors.add(name, inside: content) }

  /// Reads the fields of a nested object; errors in them are reported inside of it.
  mutating func object<Value>(
    _ name: String, isRequired: Bool, _ read: (inout FieldReader) -> Value?
  ) -> Value? {
    guard let value = present(name, isRequired: isRequired) else { return nil }
    let (read, errors) = Self.inside(value, maximumElements: maximumElements, read)
    if !errors.isEmpty { add(name, inside: .fields(errors)) }
    return errors.isEmpty ? read : nil
  }

  /// Reads the objects of a list that is required; nil if any of them is invalid.
  mutating func objects<Value>(
    _ name: String, atMost limit: Int, _ read: (inout FieldReader) -> Value?
  ) -> [Value]? {
    guard let value = present(name, isRequired: true) else { return nil }
    guard case .array(let values) = value else {
      let message = "Expected a list of items but got type \"\(value.typeName)\"."
      return reject(name, insideBy: WireErrors(Self.whole, message))
    }
    guard values.count <= limit else {
      return reject(name, insideBy: WireErrors(Self.whole, "Ensure this field has no more than \(limit) elements."))
    }
    var wrong = 0
    let elements = values.map { value -> (value: Value?, errors: WireErrors) in
      guard wrong < Self.mostWrong else { return (nil, WireErrors()) }
      let element = Self.inside(value, maximumElements: maximumElements, read)
      if !element.errors.isEmpty { wrong += 1 }
      return element
    }
    guard elements.allSatisfy({ $0.errors.isEmpty }) else {
      add(name, inside: .elements(elements.map(\.errors)))
      return nil
    }
    return elements.compactMap(\.value)
  }

  /// How many invalid objects of a list are reported, so that the answer is not many times as long as the request.
  private static let mostWrong = 20

  /// The name for errors that belong to no single field, from Django REST framework.
  static let whole = "non_field_errors"

  private static func inside<Value>(
    _ value: JSONValue, maximumElements: Int, _ read: (inout FieldReader) -> Value?
  ) -> (value: Value?, errors: WireErrors) {
    guard case .object(let fields) = value else {
      let message = "Invalid data. Expected a dictionary, but got \(value.typeName)."
      return (nil, WireErrors(whole, message))
    }
    var reader = FieldReader(fields, maximumElements: maximumElements)
    let value = read(&reader)
    return (value, reader.errors)
  }

  /// The texts of a list. An element that is no text becomes an empty text, for the caller to refuse. An absent field
  /// is an empty list.
  mutating func looseTexts(_ name: String) -> [String] {
    guard let value = present(name, isRequired: false) else { return [] }
    guard case .array(let values) = value else {
      errors.add(name, "Expected a list of items but got type \"\(value.typeName)\".")
      return []
    }
    return values.map { value in
      if case .string(let text) = value { text } else { "" }
    }
  }

  /// A text; an integer is converted to its digits.
  mutating func text(_ name: String, isRequired: Bool, mayBeBlank: Bool = false) -> String? {
    if case .integer(let number)? = fields[name] { return String(number) }
    return string(name, isRequired: isRequired, mayBeBlank: mayBeBlank)
  }

  /// A number or a uuid.
  mutating func reference<Entity>(_ name: String, isRequired: Bool) -> Reference<Entity>? {
    guard let value = present(name, isRequired: isRequired) else { return nil }
    return reference(value) ?? reject(name, "A valid integer or UUID is required.")
  }

  /// A list of numbers or uuids; empty for `null` and for an absent field.
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

  /// A list of texts, which is required.
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

  /// One of the choices, which is required.
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

  private mutating func reject<Value>(_ name: String, insideBy errors: WireErrors) -> Value? {
    add(name, inside: .fields(errors))
    return nil
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

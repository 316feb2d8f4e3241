/// Reads one JSON document of RFC 8259 in one pass over its bytes, so that a hostile document costs no more than any
/// other of its size.
struct JSONParser {
  /// How many fields one object may have: far more than any real one has.
  static let maximumFields = 1000

  private let bytes: UnsafeRawBufferPointer
  private let maximumDepth: Int
  private var position = 0
  private var depth = 0

  static func parse(_ bytes: [UInt8], maximumDepth: Int) throws(JSONValue.SyntaxError) -> JSONValue {
    let result = bytes.withUnsafeBytes { bytes in
      var parser = JSONParser(bytes: bytes, maximumDepth: maximumDepth)
      return Result { () throws(JSONValue.SyntaxError) in try parser.document() }
    }
    return try result.get()
  }

  private init(bytes: UnsafeRawBufferPointer, maximumDepth: Int) {
    self.bytes = bytes
    self.maximumDepth = maximumDepth
  }

  private mutating func document() throws(JSONValue.SyntaxError) -> JSONValue {
    let value = try value()
    skipSpace()
    guard position == bytes.count else { throw unexpected() }
    return value
  }

  private mutating func value() throws(JSONValue.SyntaxError) -> JSONValue {
    skipSpace()
    switch peek {
    case UInt8(ascii: "{"): return try nested { parser throws(JSONValue.SyntaxError) in try parser.object() }
    case UInt8(ascii: "["): return try nested { parser throws(JSONValue.SyntaxError) in try parser.array() }
    case UInt8(ascii: "\""): return .string(try string())
    case UInt8(ascii: "t"): return try word("true", .bool(true))
    case UInt8(ascii: "f"): return try word("false", .bool(false))
    case UInt8(ascii: "n"): return try word("null", .null)
    default: return try number()
    }
  }

  // MARK: Objects and arrays

  private mutating func nested(
    _ read: (inout JSONParser) throws(JSONValue.SyntaxError) -> JSONValue
  ) throws(JSONValue.SyntaxError) -> JSONValue {
    guard depth < maximumDepth else {
      throw JSONValue.SyntaxError(message: "the document is nested too deeply.")
    }
    depth += 1
    position += 1
    let value = try read(&self)
    depth -= 1
    return value
  }

  private mutating func object() throws(JSONValue.SyntaxError) -> JSONValue {
    var fields = JSONObject()
    skipSpace()
    if take(UInt8(ascii: "}")) { return .object(fields) }
    repeat {
      skipSpace()
      guard peek == UInt8(ascii: "\"") else { throw unexpected() }
      guard fields.count < Self.maximumFields else {
        throw JSONValue.SyntaxError(message: "an object has too many fields.")
      }
      let name = try string()
      skipSpace()
      guard take(UInt8(ascii: ":")) else { throw unexpected() }
      fields.append(name, try value())
      skipSpace()
    } while take(UInt8(ascii: ","))
    guard take(UInt8(ascii: "}")) else { throw unexpected() }
    return .object(fields)
  }

  private mutating func array() throws(JSONValue.SyntaxError) -> JSONValue {
    var elements: [JSONValue] = []
    skipSpace()
    if take(UInt8(ascii: "]")) { return .array(elements) }
    repeat {
      elements.append(try value())
      skipSpace()
    } while take(UInt8(ascii: ","))
    guard take(UInt8(ascii: "]")) else { throw unexpected() }
    return .array(elements)
  }

  // MARK: Scalar values

  private mutating func word(_ text: StaticString, _ value: JSONValue) throws(JSONValue.SyntaxError) -> JSONValue {
    for offset in 0..<text.utf8CodeUnitCount {
      guard take(text.utf8Start[offset]) else { throw unexpected() }
    }
    return value
  }

  private mutating func number() throws(JSONValue.SyntaxError) -> JSONValue {
    let start = position
    var isWhole = true
    _ = take(UInt8(ascii: "-"))
    if !take(UInt8(ascii: "0")) { try digits() }
    if take(UInt8(ascii: ".")) {
      isWhole = false
      try digits()
    }
    if take(UInt8(ascii: "e")) || take(UInt8(ascii: "E")) {
      isWhole = false
      if !take(UInt8(ascii: "+")) { _ = take(UInt8(ascii: "-")) }
      try digits()
    }
    let text = String(decoding: bytes[start..<position], as: UTF8.self)
    if isWhole, let number = Int64(text) { return .integer(number) }
    guard let number = Double(text), number.isFinite else {
      throw JSONValue.SyntaxError(message: "a number is too large.")
    }
    // 3.0 and 3e0 are the same number as 3.
    return Int64(exactly: number).map { .integer($0) } ?? .number(number)
  }

  private mutating func digits() throws(JSONValue.SyntaxError) {
    let start = position
    while let byte = peek, (48...57).contains(byte) { position += 1 }
    guard position > start else { throw unexpected() }
  }

  private mutating func string() throws(JSONValue.SyntaxError) -> String {
    position += 1
    var text: [UInt8] = []
    var start = position
    while let byte = peek {
      switch byte {
      case UInt8(ascii: "\""):
        let rest = UnsafeRawBufferPointer(rebasing: bytes[start..<position])
        position += 1
        // Most texts have no escapes, and need no copy.
        if !text.isEmpty { text += rest }
        guard
          let string = text.isEmpty
            ? String(validating: rest, as: UTF8.self) : String(validating: text, as: UTF8.self)
        else {
          throw JSONValue.SyntaxError(message: "a text is not valid UTF-8.")
        }
        return string
      case UInt8(ascii: "\\"):
        text += bytes[start..<position]
        position += 1
        try escape(into: &text)
        start = position
      case 0..<0x20: throw unexpected()
      default: position += 1
      }
    }
    throw unexpected()
  }

  /// What follows a backslash.
  private mutating func escape(into text: inout [UInt8]) throws(JSONValue.SyntaxError) {
    guard let byte = peek else { throw unexpected() }
    let escaped: UInt8? =
      switch byte {
      case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): byte
      case UInt8(ascii: "b"): 0x08
      case UInt8(ascii: "f"): 0x0C
      case UInt8(ascii: "n"): 0x0A
      case UInt8(ascii: "r"): 0x0D
      case UInt8(ascii: "t"): 0x09
      default: nil
      }
    if let escaped {
      position += 1
      text.append(escaped)
    } else if take(UInt8(ascii: "u")) {
      text += Array(String(try scalar()).utf8)
    } else {
      throw unexpected()
    }
  }

  /// Four hexadecimal digits, or a surrogate pair of twice four.
  private mutating func scalar() throws(JSONValue.SyntaxError) -> Unicode.Scalar {
    let first = try codeUnit()
    if let scalar = Unicode.Scalar(UInt32(first)) { return scalar }
    guard take(UInt8(ascii: "\\")), take(UInt8(ascii: "u")), case let second = try codeUnit(),
      (0xD800...0xDBFF).contains(first), (0xDC00...0xDFFF).contains(second),
      let scalar = Unicode.Scalar(0x10000 + (UInt32(first) - 0xD800) << 10 + (UInt32(second) - 0xDC00))
    else { throw JSONValue.SyntaxError(message: "half of a surrogate pair stands alone.") }
    return scalar
  }

  private mutating func codeUnit() throws(JSONValue.SyntaxError) -> UInt16 {
    var unit: UInt16 = 0
    for _ in 0..<4 {
      guard let byte = peek, let digit = Character(Unicode.Scalar(byte)).hexDigitValue else { throw unexpected() }
      unit = unit << 4 | UInt16(digit)
      position += 1
    }
    return unit
  }

  // MARK: Bytes

  private var peek: UInt8? { position < bytes.count ? bytes[position] : nil }

  private mutating func take(_ byte: UInt8) -> Bool {
    guard peek == byte else { return false }
    position += 1
    return true
  }

  private mutating func skipSpace() {
    while let byte = peek, byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 { position += 1 }
  }

  private func unexpected() -> JSONValue.SyntaxError {
    JSONValue.SyntaxError(
      message: position < bytes.count
        ? "the body is not valid JSON at byte \(position + 1)." : "the body ends too early.")
  }
}

extension JSON {
  public struct Malformed: Error, Sendable, CustomStringConvertible {
    /// The position of the first byte that is not valid.
    public let offset: Int
    public var description: String { "It is no JSON at byte \(offset)." }
  }

  public init(parsing bytes: some Sequence<UInt8>) throws(Malformed) {
    var parser = Parser(bytes: Array(bytes))
    self = try parser.document()
  }

  private struct Parser {
    private static let maximumDepth = 128

    let bytes: [UInt8]
    var index = 0

    init(bytes: [UInt8]) {
      self.bytes = bytes
    }

    mutating func document() throws(Malformed) -> JSON {
      let value = try value(depth: 0)
      skipSpace()
      guard index == bytes.count else { throw malformed }
      return value
    }

    private var malformed: Malformed { Malformed(offset: index) }
    private var next: UInt8? { index < bytes.count ? bytes[index] : nil }

    private mutating func skipSpace() {
      while let byte = next, [0x20, 0x0A, 0x0D, 0x09].contains(byte) { index += 1 }
    }

    private mutating func take(_ byte: UInt8) throws(Malformed) {
      guard next == byte else { throw malformed }
      index += 1
    }

    private mutating func word(_ text: StaticString, _ value: JSON) throws(Malformed) -> JSON {
      for byte in text.description.utf8 { try take(byte) }
      return value
    }

    private mutating func value(depth: Int) throws(Malformed) -> JSON {
      guard depth < Self.maximumDepth else { throw malformed }
      skipSpace()
      switch next {
      case UInt8(ascii: "{"): return try object(depth)
      case UInt8(ascii: "["): return try array(depth)
      case UInt8(ascii: "\""): return .string(try string())
      case UInt8(ascii: "t"): return try word("true", .bool(true))
      case UInt8(ascii: "f"): return try word("false", .bool(false))
      case UInt8(ascii: "n"): return try word("null", .null)
      default: return .number(try number())
      }
    }

    private mutating func object(_ depth: Int) throws(Malformed) -> JSON {
      var members: [Member] = []
      try elements(UInt8(ascii: "}")) { (parser) throws(Malformed) in
        parser.skipSpace()
        let name = try parser.string()
        parser.skipSpace()
        try parser.take(UInt8(ascii: ":"))
        members.append(Member(name, try parser.value(depth: depth + 1)))
      }
      return .object(members)
    }

    private mutating func array(_ depth: Int) throws(Malformed) -> JSON {
      var values: [JSON] = []
      try elements(UInt8(ascii: "]")) { (parser) throws(Malformed) in
        values.append(try parser.value(depth: depth + 1))
      }
      return .array(values)
    }

    private mutating func elements(
      _ end: UInt8, _ element: (inout Parser) throws(Malformed) -> Void
    ) throws(Malformed) {
      index += 1
      skipSpace()
      if next == end {
        index += 1
        return
      }
      while true {
        try element(&self)
        skipSpace()
        if next == end {
          index += 1
          return
        }
        try take(UInt8(ascii: ","))
      }
    }

    private mutating func number() throws(Malformed) -> String {
      let start = index
      if next == UInt8(ascii: "-") { index += 1 }
      if next == UInt8(ascii: "0") { index += 1 } else { try digits() }
      if next == UInt8(ascii: ".") {
        index += 1
        try digits()
      }
      if next == UInt8(ascii: "e") || next == UInt8(ascii: "E") {
        index += 1
        if next == UInt8(ascii: "+") || next == UInt8(ascii: "-") { index += 1 }
        try digits()
      }
      return String(decoding: bytes[start..<index], as: UTF8.self)
    }

    private mutating func digits() throws(Malformed) {
      let start = index
      while let byte = next, (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) { index += 1 }
      guard index > start else { throw malformed }
    }

    private mutating func string() throws(Malformed) -> String {
      try take(UInt8(ascii: "\""))
      var text: [UInt8] = []
      while let byte = next {
        index += 1
        switch byte {
        case UInt8(ascii: "\""): return String(decoding: text, as: UTF8.self)
        case UInt8(ascii: "\\"): text += try escape()
        case 0..<0x20:
          index -= 1
          throw malformed
        default: text.append(byte)
        }
      }
      throw malformed
    }

    private mutating func escape() throws(Malformed) -> [UInt8] {
      guard let byte = next else { throw malformed }
      index += 1
      switch byte {
      case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): return [byte]
      case UInt8(ascii: "b"): return [0x08]
      case UInt8(ascii: "f"): return [0x0C]
      case UInt8(ascii: "n"): return [0x0A]
      case UInt8(ascii: "r"): return [0x0D]
      case UInt8(ascii: "t"): return [0x09]
      case UInt8(ascii: "u"): return Array(String(Character(try scalar())).utf8)
      default: throw malformed
      }
    }

    /// Half of a surrogate pair alone becomes U+FFFD, the replacement character.
    private mutating func scalar() throws(Malformed) -> Unicode.Scalar {
      let first = try unit()
      if let scalar = Unicode.Scalar(first) { return scalar }
      let before = index
      guard (0xD800..<0xDC00).contains(first), next == UInt8(ascii: "\\"), bytes.count > index + 1,
        bytes[index + 1] == UInt8(ascii: "u")
      else { return "\u{FFFD}" }
      index += 2
      let second = try unit()
      guard (0xDC00..<0xE000).contains(second),
        let scalar = Unicode.Scalar(0x10000 + (first - 0xD800) << 10 + (second - 0xDC00))
      else {
        index = before
        return "\u{FFFD}"
      }
      return scalar
    }

    private mutating func unit() throws(Malformed) -> UInt32 {
      guard index + 4 <= bytes.count,
        let value = UInt32(String(decoding: bytes[index..<index + 4], as: UTF8.self), radix: 16),
        bytes[index] != UInt8(ascii: "+")
      else { throw malformed }
      index += 4
      return value
    }
  }
}

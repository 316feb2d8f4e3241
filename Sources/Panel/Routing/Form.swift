import Core

/// The fields of a form, as browsers send them: `application/x-www-form-urlencoded`.
struct Form: Sendable {
  static let mediaType = "application/x-www-form-urlencoded"
  /// Enough for the largest possible firewall.
  private static let mostFields = 5100
  private static let longestName = 64

  private var fields: [(name: String, value: String)] = []

  var all: [(name: String, value: String)] { fields }

  init() {}

  /// Nil where the text is no form.
  init?(_ text: some StringProtocol) {
    let pairs = text.utf8.split(separator: UInt8(ascii: "&"), maxSplits: Self.mostFields)
    guard pairs.count <= Self.mostFields else { return nil }
    for pair in pairs {
      let name = pair.prefix { $0 != UInt8(ascii: "=") }
      guard let key = Self.decoded(name), key.isPlain(atMost: Self.longestName),
        let value = Self.decoded(pair.dropFirst(name.count + 1))
      else { return nil }
      fields.append((key, value))
    }
  }

  init(_ fields: [(name: String, value: String)]) {
    self.fields = fields
  }

  /// The first value with this name; nil where there is none or it is empty.
  subscript(name: StaticString) -> String? {
    fields.first { $0.name == "\(name)" }.flatMap { $0.value.isEmpty ? nil : $0.value }
  }

  /// All values with this name.
  func values(_ name: StaticString) -> [String] { fields.filter { $0.name == "\(name)" }.map(\.value) }

  /// The chosen values, without texts that could not have been offered.
  func choices(_ name: StaticString) -> [String] { values(name).filter { $0.isPlain(atMost: 64) } }
  func choice(_ name: StaticString) -> String? { choices(name).first }

  /// The entered text, to be shown in the form again, cut to `limit` characters.
  func shown(_ name: StaticString, _ limit: Int) -> String { String((self[name] ?? "").unicodeScalars.prefix(limit)) }

  func has(_ name: StaticString) -> Bool { fields.contains { $0.name == "\(name)" } }

  private static func decoded(_ bytes: some Sequence<UInt8>) -> String? {
    var decoded: [UInt8] = []
    var iterator = bytes.makeIterator()
    while let byte = iterator.next() {
      switch byte {
      case UInt8(ascii: "+"): decoded.append(UInt8(ascii: " "))
      case UInt8(ascii: "%"):
        guard let high = iterator.next().flatMap(digit), let low = iterator.next().flatMap(digit) else { return nil }
        decoded.append(high << 4 | low)
      default: decoded.append(byte)
      }
    }
    return String(validating: decoded, as: UTF8.self)
  }

  private static func digit(_ byte: UInt8) -> UInt8? {
    switch byte {
    case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
    case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
    case UInt8(ascii: "A")...UInt8(ascii: "F"): byte - UInt8(ascii: "A") + 10
    default: nil
    }
  }
}

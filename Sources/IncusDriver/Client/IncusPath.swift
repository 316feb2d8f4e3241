/// Below `/1.0/`. What names something may have any characters.
struct IncusPath: Sendable, Equatable {
  private let components: [String]
  private let query: [(name: String, value: String)]

  init(_ components: String..., query: KeyValuePairs<String, String> = [:]) {
    self.components = components
    self.query = query.map { (name: $0.key, value: $0.value) }
  }

  /// The server itself.
  init() {
    self.init(components: [], query: [])
  }

  private init(components: [String], query: [(name: String, value: String)]) {
    self.components = components
    self.query = query
  }

  /// With one more pair, where there is a value.
  func with(_ name: String, _ value: String?) -> IncusPath {
    guard let value else { return self }
    return IncusPath(components: components, query: query + [(name: name, value: value)])
  }

  var text: String {
    let path = (["", "1.0"] + components.map(Self.encoded)).joined(separator: "/")
    guard !query.isEmpty else { return path }
    return path + "?" + query.map { "\(Self.encoded($0.name))=\(Self.encoded($0.value))" }.joined(separator: "&")
  }

  /// All but what RFC 3986 calls unreserved.
  private static func encoded(_ text: String) -> String {
    let digits = Array("0123456789ABCDEF")
    return text.utf8.reduce(into: "") { encoded, byte in
      switch byte {
      case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, 0x2D, 0x2E, 0x5F, 0x7E:
        encoded.unicodeScalars.append(Unicode.Scalar(byte))
      default: encoded += "%\(digits[Int(byte >> 4)])\(digits[Int(byte & 15)])"
      }
    }
  }

  static func == (left: IncusPath, right: IncusPath) -> Bool { left.text == right.text }
}

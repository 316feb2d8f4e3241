/// A JSON document from outside. It is neither Equatable nor Hashable, because its texts must not be compared or
/// hashed: see `isPlain`.
enum JSONValue: Sendable {
  case null
  case bool(Bool)
  case integer(Int64)
  case number(Double)
  case string(String)
  case array([JSONValue])
  case object(JSONObject)

  struct SyntaxError: Error {
    let message: String
  }

  init(parsing bytes: [UInt8], maximumDepth: Int) throws(SyntaxError) {
    self = try JSONParser.parse(bytes, maximumDepth: maximumDepth)
  }

  var isNull: Bool {
    if case .null = self { true } else { false }
  }

  /// Python's name of the type, which clients of this API expect in messages.
  var typeName: String {
    switch self {
    case .null: "NoneType"
    case .bool: "bool"
    case .integer: "int"
    case .number: "float"
    case .string: "str"
    case .array: "list"
    case .object: "dict"
    }
  }
}

/// The fields of an object, found by the bytes of their names.
struct JSONObject: Sendable {
  private var fields: [(name: String, value: JSONValue)] = []

  var count: Int { fields.count }

  /// In their order; a name may come twice.
  var members: [(name: String, value: JSONValue)] { fields }

  mutating func append(_ name: String, _ value: JSONValue) {
    fields.append((name, value))
  }

  /// If a name occurs twice, the last one counts.
  subscript(name: String) -> JSONValue? {
    fields.last { $0.name.utf8.count == name.utf8.count && $0.name.utf8.elementsEqual(name.utf8) }?.value
  }
}

/// A JSON document that came from outside.
enum JSONValue: Equatable, Sendable {
  case null
  case bool(Bool)
  case integer(Int64)
  case number(Double)
  case string(String)
  case array([JSONValue])
  case object([String: JSONValue])

  struct SyntaxError: Error {
    let message: String
  }

  init(parsing bytes: [UInt8], maximumDepth: Int) throws(SyntaxError) {
    self = try JSONParser.parse(bytes, maximumDepth: maximumDepth)
  }

  /// The name of the type as Python, and so the clients of this API, know it.
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

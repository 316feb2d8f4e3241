import APIClient
import CYAML

/// Why a text is not valid YAML, or uses a feature that is not supported here.
struct YAMLError: Error, CustomStringConvertible {
  let description: String
}

extension JSON {
  /// Parses the only document of a text, with plain scalars as in YAML 1.1. Ambiguous texts are refused: aliases, duplicate
  /// fields, custom tags, a second document.
  init(parsingYAML text: String) throws {
    self = try Array(text.utf8).withUnsafeBufferPointer { bytes in
      var reader = try YAMLReader(bytes)
      defer { reader.end() }
      return try reader.document()
    }
  }
}

/// Builds values from libyaml's events. A YAML reader in Swift needs Foundation, whose loading takes longer at each start than
/// the rest of the program: docs/decisions/006-http-of-vpsctl.md.
private struct YAMLReader {
  private static let maximumDepth = 32
  private static let textTags = ["!", "tag:yaml.org,2002:str"]

  /// On the heap, because the parser contains pointers to itself and must not be moved.
  private let parser: UnsafeMutablePointer<yaml_parser_t>
  private var event = yaml_event_t()

  init(_ bytes: UnsafeBufferPointer<UInt8>) throws {
    parser = .allocate(capacity: 1)
    guard yaml_parser_initialize(parser) == 1 else {
      parser.deallocate()
      throw YAMLError(description: "There is no memory for it.")
    }
    yaml_parser_set_encoding(parser, YAML_UTF8_ENCODING)
    yaml_parser_set_input_string(parser, bytes.baseAddress, bytes.count)
  }

  mutating func end() {
    yaml_event_delete(&event)
    yaml_parser_delete(parser)
    parser.deallocate()
  }

  mutating func document() throws -> JSON {
    try advance()  // The beginning of the stream.
    try advance()
    guard event.type == YAML_DOCUMENT_START_EVENT else { return .null }
    try advance()
    let value = try value(depth: 0)
    try advance()
    try advance()
    guard event.type == YAML_STREAM_END_EVENT else { throw error("there is a second document.") }
    return value
  }

  private mutating func advance() throws {
    yaml_event_delete(&event)
    guard yaml_parser_parse(parser, &event) == 1 else {
      let problem = parser.pointee.problem.map { String(cString: $0) } ?? "it cannot be read"
      // A decoding error has no line number.
      let line = parser.pointee.error == YAML_READER_ERROR ? nil : parser.pointee.problem_mark.line + 1
      throw YAMLError(description: (line.map { "line \($0): " } ?? "") + problem + ".")
    }
  }

  private func error(_ problem: String) -> YAMLError {
    YAMLError(description: "line \(event.start_mark.line + 1): \(problem)")
  }

  private mutating func value(depth: Int) throws -> JSON {
    guard depth < Self.maximumDepth else { throw error("it is nested too deeply.") }
    switch event.type {
    case YAML_SCALAR_EVENT: return try scalar()
    case YAML_SEQUENCE_START_EVENT:
      try refuseTag(event.data.sequence_start.tag)
      var elements: [JSON] = []
      try advance()
      while event.type != YAML_SEQUENCE_END_EVENT {
        elements.append(try value(depth: depth + 1))
        try advance()
      }
      return .array(elements)
    case YAML_MAPPING_START_EVENT:
      try refuseTag(event.data.mapping_start.tag)
      return try mapping(depth: depth)
    default: throw error("aliases are not understood.")
    }
  }

  private mutating func mapping(depth: Int) throws -> JSON {
    var members: [JSON.Member] = []
    var names: Set<String> = []
    try advance()
    while event.type != YAML_MAPPING_END_EVENT {
      guard event.type == YAML_SCALAR_EVENT, let name = Self.text(of: event) else {
        throw error("the names of fields are texts.")
      }
      guard names.insert(name).inserted else { throw error("\(name): this field is there twice.") }
      try advance()
      members.append(JSON.Member(name, try value(depth: depth + 1)))
      try advance()
    }
    return .object(members)
  }

  private func scalar() throws -> JSON {
    guard let text = Self.text(of: event) else { throw error("it is no text.") }
    if let tag = event.data.scalar.tag.map({ String(cString: $0) }) {
      guard Self.textTags.contains(tag) else { throw error("the tag \(tag) is not understood.") }
      return .string(text)
    }
    guard event.data.scalar.style == YAML_PLAIN_SCALAR_STYLE else { return .string(text) }
    switch text {
    case "", "~", "null", "Null", "NULL": return .null
    case "true", "True", "TRUE", "yes", "Yes", "YES", "on", "On", "ON": return true
    case "false", "False", "FALSE", "no", "No", "NO", "off", "Off", "OFF": return false
    default:
      if let number = Int(text), String(number) == text { return .number(number) }
      return .string(text)
    }
  }

  private func refuseTag(_ tag: UnsafeMutablePointer<yaml_char_t>?) throws {
    if let tag { throw error("the tag \(String(cString: tag)) is not understood.") }
  }

  private static func text(of event: yaml_event_t) -> String? {
    event.data.scalar.value.map {
      String(decoding: UnsafeBufferPointer(start: $0, count: event.data.scalar.length), as: UTF8.self)
    }
  }
}

/// A field of a body or a parameter, in a row of a table.
struct DocumentedField {
  let name: String
  /// How many objects it is nested in.
  let depth: Int
  let type: String
  let isRequired: Bool
  /// In Markdown.
  let text: String
  let rules: [String]
}

/// Turns the schemas of a document into rows of fields, and into examples.
struct DocumentedSchemas {
  /// Ends the recursion into a schema that contains itself.
  private static let maximumDepth = 6

  private let document: DocumentNode
  private let words: PageWords

  init(_ document: DocumentNode, _ words: PageWords = .english) {
    self.document = document
    self.words = words
  }

  /// The node itself, or the one that it refers to. Members beside the reference, such as a description, take
  /// precedence.
  func resolved(_ node: DocumentNode) -> DocumentNode {
    guard let reference = node["$ref"]?.string, let target = document.at(reference) else { return node }
    let beside = node.members.filter { $0.name != "$ref" }
    guard !beside.isEmpty else { return target }
    return .object(beside + target.members.filter { member in !beside.contains { $0.name == member.name } })
  }

  // MARK: Fields

  /// The fields of an object, each followed by the fields of the object that it contains.
  func fields(of schema: DocumentNode, depth: Int = 0) -> [DocumentedField] {
    guard depth < Self.maximumDepth else { return [] }
    let schema = resolved(schema)
    if let items = schema["items"] { return fields(of: items, depth: depth) }
    let required = Self.required(in: schema)
    return (schema["properties"]?.members ?? []).flatMap { member in
      let row = field(
        member.name, member.value, isRequired: required.contains(member.name), text: nil, depth: depth)
      return [row] + fields(of: member.value, depth: depth + 1)
    }
  }

  func field(
    _ name: String, _ schema: DocumentNode, isRequired: Bool, text: String?, depth: Int = 0
  ) -> DocumentedField {
    let schema = resolved(schema)
    return DocumentedField(
      name: name, depth: depth, type: type(of: schema), isRequired: isRequired,
      text: text ?? schema["description"]?.string ?? "", rules: SchemaRules(words: words.rules).rules(of: schema))
  }

  /// If an object has alternatives (`anyOf`), the table shows the first one.
  private static func required(in schema: DocumentNode) -> [String] {
    let first = schema["anyOf"]?.elements.first
    return ((schema["required"]?.elements ?? []) + (first?["required"]?.elements ?? [])).compactMap(\.string)
  }

  private func type(of schema: DocumentNode) -> String {
    types(named: schema, areMany: false).joined(separator: " \(words.types.or) ")
  }

  private func types(named schema: DocumentNode, areMany: Bool) -> [String] {
    let schema = resolved(schema)
    if let items = schema["items"] {
      let types = types(named: items, areMany: true).joined(separator: " \(words.types.or) ")
      return ["\(areMany ? words.types.many("array of") : words.types.one("array of")) \(types)"]
    }
    if let choices = schema["anyOf"]?.elements { return choices.flatMap { types(named: $0, areMany: areMany) } }
    if let constant = schema["const"] { return [constant.plainText] }
    return Self.types(of: schema).map { type in
      let name = type == "string" ? schema["format"]?.string ?? type : type
      return areMany ? words.types.many(name) : words.types.one(name)
    }
  }

  private static func types(of schema: DocumentNode) -> [String] {
    schema["type"].map { [$0] + $0.elements }?.compactMap(\.string) ?? []
  }

  // MARK: Examples

  /// A valid value: one that the schema gives, or else the simplest one of its type.
  func example(of schema: DocumentNode, depth: Int = 0) -> DocumentNode {
    let schema = resolved(schema)
    let given = schema["example"] ?? schema["examples"]?.elements.first ?? schema["default"] ?? schema["const"]
    if let given = given ?? schema["enum"]?.elements.first { return given }
    guard depth < Self.maximumDepth else { return .null }
    if let first = schema["anyOf"]?.elements.first, schema["properties"] == nil {
      return example(of: first, depth: depth + 1)
    }
    switch Self.types(of: schema).first {
    case "array": return .list([example(of: schema["items"] ?? .null, depth: depth + 1)])
    case "object": return object(schema, depth)
    case "integer", "number": return schema["minimum"] ?? .number("1")
    case "boolean": return .flag(true)
    case "null", nil: return .null
    default: return .text(Self.text(of: schema["format"]?.string))
    }
  }

  /// An object with its required fields only.
  private func object(_ schema: DocumentNode, _ depth: Int) -> DocumentNode {
    let required = Self.required(in: schema)
    let properties = (schema["properties"]?.members ?? []).filter { required.contains($0.name) }
    return .object(properties.map { DocumentNode.Member($0.name, example(of: $0.value, depth: depth + 1)) })
  }

  private static func text(of format: String?) -> String {
    switch format {
    case "date-time": "2026-01-16T15:30:00Z"
    case "date": "2026-01-16"
    case "uuid": "0f8fad5b-d9cb-469f-a165-70867728950e"
    default: "..."
    }
  }
}

/// The rules for a value beyond its type, in words.
struct SchemaRules {
  let words: PageWords.Rules

  func rules(of schema: DocumentNode) -> [String] {
    let target = schema["items"] ?? schema
    // If there is a description, it explains the pattern better than the pattern itself.
    let pattern = schema["description"] == nil ? target["pattern"] : nil
    // A minimum of 1 is obvious for ids and counts.
    let minimum = schema["maximum"] == nil && schema["minimum"] == .number("1") ? nil : schema["minimum"]
    return [
      choices(of: target), span(words.characters, schema["minLength"], schema["maxLength"]),
      span(words.elements, schema["minItems"], schema["maxItems"]), span(nil, minimum, schema["maximum"]),
      pattern.map { Self.sentence(words.pattern, "`\($0.plainText)`") },
      schema["default"].map { Self.sentence(words.standard, "`\($0.plainText)`") },
    ].compactMap { $0 }
  }

  /// Replaces each % in the pattern by a value.
  private static func sentence(_ pattern: String, _ values: String...) -> String {
    var parts = pattern.split(separator: "%", omittingEmptySubsequences: false)[...]
    var text = String(parts.popFirst() ?? "")
    for (value, part) in zip(values, parts) { text += value + part }
    return text
  }

  private func choices(of schema: DocumentNode) -> String? {
    guard let choices = schema["enum"]?.elements, !choices.isEmpty else { return nil }
    return Self.sentence(words.oneOf, choices.map { "`\($0.plainText)`" }.joined(separator: ", "))
  }

  private func span(_ unit: String?, _ least: DocumentNode?, _ most: DocumentNode?) -> String? {
    let unit = unit.map { " " + $0 } ?? ""
    return switch (least?.plainText, most?.plainText) {
    case (let least?, let most?): Self.sentence(words.span, least, most) + "\(unit)."
    case (let least?, nil): Self.sentence(words.least, least) + "\(unit)."
    case (nil, let most?): Self.sentence(words.most, most) + "\(unit)."
    case (nil, nil): nil
    }
  }
}

extension DocumentNode {
  /// A scalar as it appears in a sentence or a path.
  var plainText: String {
    switch self {
    case .null: "null"
    case .flag(let flag): flag ? "true" : "false"
    case .number(let digits): digits
    case .text(let text): text
    case .list, .object: ""
    }
  }
}

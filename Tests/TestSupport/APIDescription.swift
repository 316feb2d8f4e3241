import Foundation
import Testing
import Yams

/// docs/openapi.yaml, parsed for tests.
package struct APIDescription {
  package struct Operation {
    package let method: String
    package let path: String
    package let statuses: Set<Int>
    package let needsToken: Bool
    package let permission: String?
    /// The name of the schema of its body, if it takes one.
    package let bodySchema: String?
    /// The names of the parameters that its query can have.
    package let queryParameters: [String]

    package var name: String { "\(method) \(path)" }
    package var isForOperators: Bool { path.hasPrefix("/operator/") }
  }

  package let operations: [Operation]
  private let root: [String: Any]

  /// Read once. Nothing modifies its content.
  nonisolated(unsafe) private static let file = Result { try APIDescription(reading: "docs/openapi.yaml") }

  package init() throws {
    self = try Self.file.get()
  }

  private init(reading path: String) throws {
    let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent()
    let text = try String(contentsOf: folder.appendingPathComponent(path), encoding: .utf8)
    let root = try #require(try Yams.load(yaml: text) as? [String: Any])
    self.root = root
    let paths = try #require(root["paths"] as? [String: [String: [String: Any]]])
    operations = paths.flatMap { path, methods in
      methods.map { method, operation in
        Operation(
          method: method.uppercased(), path: path,
          statuses: Set((operation["responses"] as? [String: Any] ?? [:]).keys.compactMap { Int($0) }),
          needsToken: (operation["security"] as? [Any])?.isEmpty != true,
          permission: operation["x-permission"] as? String,
          bodySchema: Self.schemaName(in: operation["requestBody"]),
          queryParameters: (operation["parameters"] as? [[String: Any]] ?? []).map { Self.resolved($0, in: root) }
            .filter { $0["in"] as? String == "query" }.compactMap { $0["name"] as? String })
      }
    }.sorted { $0.name < $1.name }
  }

  /// The document's example of a valid body, as JSON; `{}` where there is none.
  package func exampleBody(of operation: Operation) throws -> String {
    guard let name = operation.bodySchema, let example = try schema(named: name)["example"] else { return "{}" }
    return String(decoding: try JSONSerialization.data(withJSONObject: example, options: [.sortedKeys]), as: UTF8.self)
  }

  package func operation(_ name: String) -> Operation? { operations.first { $0.name == name } }

  /// The schema of a reply; nil where the reply has no JSON body.
  package func replySchema(_ operation: Operation, _ status: Int) throws -> [String: Any]? {
    let methods = try #require((root["paths"] as? [String: Any])?[operation.path] as? [String: [String: Any]])
    let responses = try #require(methods[operation.method.lowercased()]?["responses"] as? [String: Any])
    let response = try resolved(try #require(responses[String(status)] as? [String: Any]))
    return Self.schema(in: response)
  }

  /// The schema of the elements in the `results` of a reply.
  package func elements(of reply: [String: Any]) throws -> [String: Any] {
    let properties = try resolved(reply)["properties"] as? [String: [String: Any]]
    let list = try resolved(try #require(properties?["results"]))
    return try #require(list["items"] as? [String: Any])
  }

  package func schema(named name: String) throws -> [String: Any] {
    try resolved(["$ref": "#/components/schemas/\(name)"])
  }

  /// What is wrong with the value according to the schema, and which fields it has, such as `Server.name`.
  package func check(_ value: Any, _ schema: [String: Any], at place: String = "$") throws -> (
    wrong: [String], seen: Set<String>
  ) {
    let name = (schema["$ref"] as? String).map { String($0.split(separator: "/").last ?? "") } ?? place
    let schema = try resolved(schema)
    if let choices = schema["anyOf"] as? [[String: Any]] {
      let results = try choices.map { try check(value, $0, at: place) }
      return results.first { $0.wrong.isEmpty } ?? (["\(place): fits no choice"], [])
    }
    var wrong: [String] = []
    var seen: Set<String> = []
    let types = (schema["type"] as? [String]) ?? (schema["type"] as? String).map { [$0] } ?? []
    if !types.isEmpty, !types.contains(where: { Self.isOfType(value, $0) }) { wrong.append("\(place): no \(types)") }
    if let choices = schema["enum"] as? [String], !(value is NSNull), !choices.contains(value as? String ?? "") {
      wrong.append("\(place): \(value) is none of the choices")
    }
    if let object = value as? [String: Any] {
      let properties = schema["properties"] as? [String: [String: Any]] ?? [:]
      for field in schema["required"] as? [String] ?? [] where object[field] == nil {
        wrong.append("\(place): \(field) is missing")
      }
      for (field, value) in object {
        if let property = properties[field] {
          seen.insert("\(name).\(field)")
          let result = try check(value, property, at: "\(place).\(field)")
          wrong += result.wrong
          seen.formUnion(result.seen)
        } else if schema["additionalProperties"] as? Bool == false {
          wrong.append("\(place): \(field) is not documented")
        }
      }
    }
    if let elements = value as? [Any], let items = schema["items"] as? [String: Any] {
      for element in elements {
        let result = try check(element, items, at: place + "[]")
        wrong += result.wrong
        seen.formUnion(result.seen)
      }
    }
    return (wrong, seen)
  }

  /// Every field that replies of documented operations can have, such as `Server.name`.
  package func fieldsOfReplies() throws -> Set<String> {
    var fields: Set<String> = []
    var names: [String] = []
    for operation in operations {
      for status in operation.statuses {
        if let schema = try replySchema(operation, status) { names += Self.references(in: schema) }
      }
    }
    var known: Set<String> = []
    while let name = names.popLast() {
      guard known.insert(name).inserted else { continue }
      let schema = try schema(named: name)
      fields.formUnion((schema["properties"] as? [String: Any] ?? [:]).keys.map { "\(name).\($0)" })
      names += Self.references(in: schema)
    }
    return fields
  }

  private func resolved(_ value: [String: Any]) throws -> [String: Any] {
    let resolved = Self.resolved(value, in: root)
    try #require(!resolved.isEmpty, "\(value) leads nowhere")
    return resolved
  }

  /// Empty for a reference that leads nowhere.
  private static func resolved(_ value: [String: Any], in root: [String: Any]) -> [String: Any] {
    guard let reference = value["$ref"] as? String else { return value }
    var node: Any? = root
    for key in reference.split(separator: "/").dropFirst() { node = (node as? [String: Any])?[String(key)] }
    return node as? [String: Any] ?? [:]
  }

  private static func schema(in holder: Any?) -> [String: Any]? {
    let content = (holder as? [String: Any])?["content"] as? [String: [String: Any]]
    return content?["application/json"]?["schema"] as? [String: Any]
  }

  private static func schemaName(in holder: Any?) -> String? {
    (schema(in: holder)?["$ref"] as? String).map { String($0.split(separator: "/").last ?? "") }
  }

  private static func references(in value: Any) -> [String] {
    if let object = value as? [String: Any] {
      if let reference = object["$ref"] as? String { return [String(reference.split(separator: "/").last ?? "")] }
      return object.values.flatMap { references(in: $0) }
    }
    return (value as? [Any])?.flatMap { references(in: $0) } ?? []
  }

  private static func isOfType(_ value: Any, _ type: String) -> Bool {
    let isFlag = (value as? NSNumber).map { String(cString: $0.objCType) == "c" } ?? false
    return switch type {
    case "null": value is NSNull
    case "string": value is String
    case "boolean": isFlag
    case "integer": !isFlag && (value as? NSNumber).map { $0.doubleValue == $0.doubleValue.rounded() } ?? false
    case "number": !isFlag && value is NSNumber
    case "array": value is [Any]
    case "object": value is [String: Any]
    default: false
    }
  }
}

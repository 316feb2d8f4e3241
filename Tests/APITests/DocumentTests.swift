import Foundation
import HTTPTypes
import TestSupport
import Testing

/// The API's own documentation is the judge: its samples are read from it, and replies must have their keys, in their order.
@Suite("The documented samples")
struct DocumentTests {
  private struct Sample {
    let method: String
    let path: String
    let keys: [String]
  }

  @Test("Every documented reply has the documented keys, in their order, and what is added comes after them")
  func shapes() async throws {
    let document = try Self.document()
    let api = try await TestAPI.make()
    let create = try #require(document.bodies.first).replacingOccurrences(of: "\"os_id\": 5", with: "\"os_id\": 3")

    let created = try await api.send(.post, "/servers/", create)
    #expect(created.status == 201)
    try expect(created.text, hasShapeOf: document.replies[1])
    try await api.service.settle()

    let id = try #require(try created.json["id"] as? Int)
    let list = try await api.send(.get, "/servers/")
    #expect(list.status == 200)
    try expect(list.text, hasShapeOf: document.replies[0])
    let detail = try await api.send(.get, "/servers/\(id)/")
    try expect(detail.text, hasShapeOf: document.replies[2])

    let put = try await api.send(.put, "/servers/\(id)/", document.bodies[1])
    #expect(put.status == 200)
    try expect(put.text, hasShapeOf: document.replies[2])
    let patch = try await api.send(.patch, "/servers/\(id)/", document.bodies[2])
    #expect(patch.status == 200)
    try expect(patch.text, hasShapeOf: document.replies[2])
    #expect(try patch.json["name"] as? String == "new-server-name")
    try await api.service.settle()

    for (action, sample) in [("stop", 4), ("start", 3), ("reboot", 5)] {
      let reply = try await api.send(.post, "/servers/\(id)/\(action)/")
      #expect(reply.status == 200)
      // The action reply carries exactly the documented keys.
      #expect(orderedKeys(of: reply.text) == orderedKeys(of: document.replies[sample]))
      let expected = try JSONSerialization.jsonObject(with: Data(document.replies[sample].utf8)) as? [String: Any]
      #expect(try reply.json["message"] as? String == expected?["message"] as? String)
      try await api.service.settle()
    }
    let deleted = try await api.send(.delete, "/servers/\(id)/")
    #expect(deleted.status == 204)
    #expect(deleted.text.isEmpty)
  }

  /// Each object of the sample must be a prefix of the object in its place; an array's elements are held against the
  /// sample's first.
  private func expect(_ reply: String, hasShapeOf sample: String) throws {
    let reply = try OrderedJSON(reply)
    let sample = try OrderedJSON(sample)
    compare(reply, sample, path: "$")
  }

  private func compare(_ reply: OrderedJSON, _ sample: OrderedJSON, path: String) {
    switch (reply, sample) {
    case (.object(let fields), .object(let wanted)):
      let keys = fields.map(\.key)
      let isOpen = fields.contains { $0.key == "uuid" } || path == "$"
      let shown = isOpen ? Array(keys.prefix(wanted.count)) : keys
      #expect(shown == wanted.map(\.key), "\(path)")
      for (field, other) in zip(fields, wanted) { compare(field.value, other.value, path: path + "." + field.key) }
    case (.array(let elements), .array(let wanted)):
      guard let first = wanted.first else { return }
      for element in elements { compare(element, first, path: path + "[]") }
    case (.scalar(let kind), .scalar(let wanted)):
      // An address may be null on either side; everything else keeps its type.
      #expect(kind == wanted || kind == "null" || wanted == "null", "\(path)")
    default:
      Issue.record("\(path): another kind of value")
    }
  }

  /// The JSON samples of the document: bodies of curl requests, and replies.
  private static func document() throws -> (bodies: [String], replies: [String]) {
    let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent()
    let text = try String(contentsOf: root.appendingPathComponent("docs/api/servers-api.bg.txt"), encoding: .utf8)
    let bodies = text.matches(of: /-d '(\{[^']*\})'/).map { String($0.output.1) }
    let replies = text.matches(of: /Примерен отговор\n\n(\{\n[\s\S]*?\n\})\n/).map { String($0.output.1) }
    #expect(bodies.count == 3)
    #expect(replies.count == 6)
    return (bodies, replies)
  }

  private func orderedKeys(of text: String) -> [String] {
    text.matches(of: /"([a-z_0-9]+)":/).map { String($0.output.1) }
  }
}

/// JSON that remembers the order of its fields, and of scalars only the type.
indirect enum OrderedJSON {
  case object([(key: String, value: OrderedJSON)])
  case array([OrderedJSON])
  case scalar(String)

  struct Malformed: Error {}

  init(_ text: String) throws {
    var scanner = Array(text.unicodeScalars)[...]
    self = try Self.value(&scanner)
  }

  private static func value(_ text: inout ArraySlice<Unicode.Scalar>) throws -> OrderedJSON {
    skipSpace(&text)
    switch text.first {
    case "{": return .object(try members(&text))
    case "[": return .array(try elements(&text))
    case "\"":
      _ = try string(&text)
      return .scalar("string")
    default:
      let word = text.prefix { $0.properties.isAlphabetic || "+-.0123456789".unicodeScalars.contains($0) }
      guard !word.isEmpty else { throw Malformed() }
      text = text.dropFirst(word.count)
      let literal = String(String.UnicodeScalarView(word))
      return .scalar(literal == "null" ? "null" : ["true", "false"].contains(literal) ? "boolean" : "number")
    }
  }

  private static func members(_ text: inout ArraySlice<Unicode.Scalar>) throws -> [(key: String, value: OrderedJSON)] {
    var members: [(key: String, value: OrderedJSON)] = []
    try sequence(&text, end: "}") { text in
      let key = try string(&text)
      skipSpace(&text)
      guard text.popFirst() == ":" else { throw Malformed() }
      members.append((key, try value(&text)))
    }
    return members
  }

  private static func elements(_ text: inout ArraySlice<Unicode.Scalar>) throws -> [OrderedJSON] {
    var elements: [OrderedJSON] = []
    try sequence(&text, end: "]") { elements.append(try value(&$0)) }
    return elements
  }

  private static func sequence(
    _ text: inout ArraySlice<Unicode.Scalar>, end: Unicode.Scalar,
    _ element: (inout ArraySlice<Unicode.Scalar>) throws -> Void
  ) throws {
    text.removeFirst()
    skipSpace(&text)
    if text.first == end {
      text.removeFirst()
      return
    }
    while true {
      skipSpace(&text)
      try element(&text)
      skipSpace(&text)
      switch text.popFirst() {
      case ",": continue
      case end: return
      default: throw Malformed()
      }
    }
  }

  private static func string(_ text: inout ArraySlice<Unicode.Scalar>) throws -> String {
    guard text.popFirst() == "\"" else { throw Malformed() }
    var result = String.UnicodeScalarView()
    while let scalar = text.popFirst() {
      if scalar == "\"" { return String(result) }
      result.append(scalar)
      if scalar == "\\", let escaped = text.popFirst() { result.append(escaped) }
    }
    throw Malformed()
  }

  private static func skipSpace(_ text: inout ArraySlice<Unicode.Scalar>) {
    text = text.drop { $0.properties.isWhitespace }
  }
}

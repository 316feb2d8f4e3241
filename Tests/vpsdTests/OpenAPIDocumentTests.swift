import Core
import Foundation
import NIOCore
import Testing

@testable import API
@testable import Documentation
@testable import vpsd

@Suite("The OpenAPI document that is built in")
struct OpenAPIDocumentTests {
  @Test("It is the one of the documentation, as JSON")
  func json() throws {
    let bytes = Data(try OpenAPIDocument.root.json.buffer.readableBytesView)
    let document = try #require(try JSONSerialization.jsonObject(with: bytes) as? [String: Any])
    #expect(document["openapi"] as? String == "3.1.0")
    let paths = try #require(document["paths"] as? [String: Any])
    #expect(paths["/servers/{id}/"] != nil)
  }

  private static func texts(in node: DocumentNode) -> [String] {
    (node.string.map { [$0] } ?? []) + (node.members.map(\.value) + node.elements).flatMap { texts(in: $0) }
  }

  private static func limited(in node: DocumentNode) -> [DocumentNode] {
    (node["x-setting"] == nil ? [] : [node]) + (node.members.map(\.value) + node.elements).flatMap { limited(in: $0) }
  }

  @Test("Every limit that it names is a setting, by its name and with its standard value")
  func standardLimits() throws {
    let configuration = try ConfigurationTests.load()
    let root = try OpenAPIDocument.root
    let settings = Dictionary(
      uniqueKeysWithValues: ConfigurationKey.all.map { ($0.name, $0.read(configuration).joined()) })
    var named: Set<String> = []
    for text in Self.texts(in: root) {
      for match in text.matches(of: /([0-9]+) \(`([a-z_]+)`\)/) {
        #expect(settings[String(match.output.2)] == String(match.output.1))
        named.insert(String(match.output.2))
      }
    }
    // Beside a number in another line it would stay what it is.
    #expect(Self.texts(in: root).allSatisfy { !$0.contains(/[0-9]\s*\n\s*\(`[a-z_]+`\)/) })
    #expect(named.isSuperset(of: ["rate_limit", "server_quota", "token_quota", "list_elements", "page_size"]))
    #expect(Self.limited(in: root).count >= 4)
    #expect(try OpenAPIDocument.root(of: configuration) == root)
  }

  @Test("Whatever people read of it is there in Bulgarian, with the same names, links and tables, and nothing else is")
  func bulgarian() throws {
    let root = try OpenAPIDocument.root
    var paragraphs: [String] = []
    _ = root.map { text in
      paragraphs += Translation.split(text).filter { !$0.hasPrefix("```") }
      return text
    }
    let pairs = try OpenAPIDocument.bulgarianTexts.elements.map { pair in
      (try #require(pair["en"]?.string), try #require(pair["bg"]?.string))
    }
    let translated = Dictionary(pairs, uniquingKeysWith: { first, _ in first })
    #expect(translated.count == pairs.count)
    #expect(Set(paragraphs).subtracting(translated.keys).sorted() == [], "not in docs/openapi.bg.yaml")
    #expect(Set(translated.keys).subtracting(paragraphs).sorted() == [], "of nothing any more")
    for (english, bulgarian) in pairs {
      let words = english.replacing(/`[^`]*`/, with: "")
      #expect(!words.contains(/[a-z]{4}/) || bulgarian.contains(/[а-я]/), "\(english)")
      for pattern in [/`[^`]*`/, /\]\([^)]*\)/, /[0-9]+ \(`[a-z_]+`\)/] {
        #expect(
          english.matches(of: pattern).map(\.output).sorted() == bulgarian.matches(of: pattern).map(\.output).sorted(),
          "\(english)")
      }
      #expect(Self.shape(of: english) == Self.shape(of: bulgarian), "\(english)")
      #expect(!bulgarian.contains(/[\u{0}-\u{9}\u{b}-\u{1f}\u{7f}]/) && !bulgarian.contains("\n\n"))
    }
  }

  /// What Markdown makes of it.
  private static func shape(of text: String) -> [String] {
    Markdown(text).blocks.map { block in
      switch block {
      case .heading: "heading"
      case .paragraph: "paragraph"
      case .code: "code"
      case .table(let rows): "table of \(rows.map(\.count))"
      }
    }
  }

  @Test("What is served shows the operator's limits, in its schemas, in its texts and on its page")
  func operatorsLimits() throws {
    let configuration = try ConfigurationTests.load(environment: [
      "VPSD_LIST_ELEMENTS": "7", "VPSD_PAGE_SIZE": "33", "VPSD_RATE_LIMIT": "0", "VPSD_SERVER_QUOTA": "4",
    ])
    let root = try OpenAPIDocument.root(of: configuration)
    for schema in ["NewServer", "Rebuild"] {
      let keys = try #require(root.at("#/components/schemas/\(schema)/properties/ssh_keys"))
      #expect(keys["maxItems"] == .number("7"))
    }
    #expect(root.at("#/components/schemas/NewToken/properties/permissions")?["maxItems"] == .number("7"))
    #expect(root.at("#/components/schemas/NewToken/properties/permissions")?["minItems"] == .number("1"))
    #expect(root.at("#/components/parameters/PageSize/schema")?["default"] == .number("33"))
    #expect(root.at("#/components/parameters/PageSize/schema")?["minimum"] == .number("1"))
    for language in Language.allCases {
      let page = DocumentationPage(try OpenAPIDocument.root(of: configuration, in: language)).html
      let unlimited = language == .english ? "unlimited" : "без ограничение"
      for (shown, hidden) in [
        ("4 (<code>server_quota</code>)", "100 (<code>server_quota</code>)"),
        ("\(unlimited) (<code>rate_limit</code>)", "1200 (<code>rate_limit</code>)"),
        ("33 (<code>page_size</code>)", "100 (<code>page_size</code>)"),
        ("7 (<code>list_elements</code>)", "50 (<code>list_elements</code>)"),
      ] {
        #expect(page.contains(shown), "\(shown)")
        #expect(!page.contains(hidden), "\(hidden)")
      }
    }
  }
}

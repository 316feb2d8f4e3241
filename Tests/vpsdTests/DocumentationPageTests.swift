import Foundation
import NIOCore
import Testing

@testable import Documentation
@testable import HTML
@testable import vpsd

@Suite("The reference page")
struct DocumentationPageTests {
  private static func page() throws -> String {
    DocumentationPage(try OpenAPIDocument.root).html
  }

  /// In each language.
  private static func pages() throws -> [String] {
    let texts = try OpenAPIDocument.bulgarianTexts
    let bulgarian = try OpenAPIDocument.root.translated(by: Translation(texts, to: "bg"))
    return [try page(), DocumentationPage(bulgarian, in: .bulgarian).html]
  }

  @Test("It has every operation, with its path, its parameters, its fields, its statuses and a sample in each language")
  func operations() throws {
    let page = try Self.page()
    let api = DocumentedAPI(try OpenAPIDocument.root)
    let operations = api.groups.flatMap(\.operations)
    let paths = try #require(try OpenAPIDocument.root["paths"])
    #expect(operations.count == paths.members.flatMap(\.value.members).count)
    for operation in operations {
      let start = try #require(page.range(of: "<article id=\"\(operation.anchor)\">"), "\(operation.anchor)")
      let end = try #require(page.range(of: "</article>", range: start.upperBound..<page.endIndex))
      let article = String(page[start.upperBound..<end.lowerBound])
      #expect(article.contains("</span>\(operation.path)</code>"), "\(operation.anchor)")
      #expect(article.contains(HTML.escaped(operation.summary)), "\(operation.anchor)")
      if let permission = operation.permission { #expect(article.contains("<code>\(permission)</code>")) }
      for field in operation.parameters.map(\.field) + operation.fields + operation.successes.flatMap(\.fields) {
        #expect(article.contains("<code>\(HTML.escaped(field.name))</code>"), "\(operation.anchor): \(field.name)")
      }
      for reply in operation.replies {
        #expect(article.contains(reply.isSuccess ? "<b>\(reply.status)</b>" : "<code>\(reply.status)</code>"))
      }
      for language in ClientSample.Language.allCases {
        let program = ClientSample(operation, basePath: api.basePath).program(in: language)
        #expect(program.contains("VPSD_URL") && !program.contains("{id}"), "\(operation.anchor)")
        #expect(article.contains("<pre class=\"\(language.rawValue)\"><code>\(HTML.escaped(program))</code></pre>"))
      }
      #expect(page.contains("<a href=\"#\(operation.anchor)\">"), "\(operation.anchor) is not in the contents")
    }
  }

  @Test("It says what holds for all operations")
  func guide() throws {
    let page = try Self.page()
    let anchors = [
      "first-steps", "authentication", "errors", "lists-and-pages", "repeating-a-request", "waiting-for-a-result",
      "events", "limits",
    ]
    for anchor in anchors { #expect(page.contains("<h2 id=\"\(anchor)\">"), "\(anchor)") }
  }

  @Test("Its elements are closed in the order in which they are opened, its anchors are there, once")
  func structure() throws {
    for page in try Self.pages() { try checkStructure(of: page) }
  }

  private func checkStructure(of page: String) throws {
    var open: [Substring] = []
    for tag in page.matches(of: /<(\/?)([a-z][a-z0-9]*)([^<>]*)>/) {
      let name = tag.output.2
      if ["meta", "input"].contains(name) { continue }
      if tag.output.1.isEmpty {
        open.append(name)
      } else {
        #expect(open.popLast() == name)
      }
    }
    #expect(open.isEmpty)
    let ids = page.matches(of: /\ id="([^"]+)"/).map { String($0.output.1) }
    #expect(Set(ids).count == ids.count)
    for link in page.matches(of: /\ (?:href="#|for=")([^"]+)"/) {
      #expect(ids.contains(String(link.output.1)), "\(link.output.1)")
    }
  }

  @Test("It takes nothing from anywhere, and runs nothing")
  func noResources() throws {
    for page in try Self.pages() { checkResources(of: page) }
  }

  private func checkResources(of page: String) {
    #expect(!page.contains("<script") && !page.contains("<link") && !page.contains("<img") && !page.contains("url("))
    #expect(!page.contains("@import") && !page.contains(" style="))
    for link in page.matches(of: /(?:href|src|action)="([^"]*)"/) {
      #expect(
        link.output.1.hasPrefix("#")
          || ["/api/v1/openapi.json", "?language=bg", "?language=en"].contains(link.output.1), "\(link.output.1)")
    }
  }

  @Test("In Bulgarian it has the same operations, fields and samples, and says nothing of its own in English")
  func bulgarian() throws {
    let pages = try Self.pages()
    for pattern in [/<dt class="depth-[0-9]"><code>[^<]*<\/code>/, /<pre class="[a-z]+"><code>[^<]*/, /<b>[0-9]+<\/b>/]
    {
      let found = pages.map { $0.matches(of: pattern).map(\.output) }
      #expect(found[0] == found[1] && !found[0].isEmpty)
    }
    let text = pages[1].replacing(
      /<(style|pre|code|title)[^>]*>[^<]*(<i[^>]*>[^<]*<\/i>[^<]*)*<\/(style|pre|code|title)>/, with: "")
    for word in [
      "Needs", "required", "Headers", "Errors", "In the", "Fields", "Contents", "What is", "string", "integer",
      "array of",
      "At most", "At least", "One of", "left out", "characters", "boolean",
    ] { #expect(!text.contains(">\(word)") && !text.contains(" \(word) "), "\(word)") }
  }

  @Test("What the document says is text, and never markup")
  func escaping() {
    let hostile = "<script>alert('\"&\")</script>"
    let node = DocumentNode.object([
      .init(
        "info",
        .object([
          .init("title", .text(hostile)), .init("summary", .text(hostile)),
          .init(
            "description",
            .text(
              "## \(hostile)\n\n\(hostile) `\(hostile)` **\(hostile)** [x](javascript:alert) [y](//a)\n\n| \(hostile) |"
            )),
        ])),
      .init(
        "paths",
        .object([
          .init(
            hostile,
            .object([
              .init(
                "get",
                .object([
                  .init("summary", .text(hostile)), .init("operationId", .text(hostile)),
                  .init("x-permission", .text(hostile)),
                  .init("description", .text(hostile)),
                  .init("responses", .object([.init("200", .object([.init("description", .text(hostile))]))])),
                ]))
            ]))
        ])),
    ])
    let page = DocumentationPage(node).html
    #expect(page.contains("&lt;script&gt;"))
    #expect(!page.contains("<script") && !page.contains("=\"javascript:") && !page.contains("href=\"//"))
  }

  @Test(
    "In a line of a description code, strong text and links are told from what only looks like them",
    arguments: [
      ("", []), ("plain", [.plain("plain")]), ("`a` b", [.code("a"), .plain(" b")]),
      ("é`é`**é**", [.plain("é"), .code("é"), .strong("é")]), ("***a**", [.plain("*"), .strong("a")]),
      ("``a`", [.plain("`"), .code("a")]), ("2 * 3 ** 4", [.plain("2 * 3 ** 4")]), ("`a", [.plain("`a")]),
      ("see [the **rules**](#rules).", [.plain("see "), .link("the **rules**", to: "#rules"), .plain(".")]),
      ("[a](b c) [a] (b) [](b) [a]()", [.plain("[a](b c) [a] (b) [](b) [a]()")]),
      ("[[a](b)](c)", [.link("[a", to: "b"), .plain("](c)")]), ("**[a](b)**", [.strong("[a](b)")]),
    ] as [(String, [Markdown.Span])])
  func spans(line: String, spans: [Markdown.Span]) {
    #expect(Markdown.spans(of: line) == spans)
  }

  @Test("The samples of replies and bodies have the fields that the document demands")
  func examples() throws {
    let schemas = DocumentedSchemas(try OpenAPIDocument.root)
    let named = try #require(try OpenAPIDocument.root.at("#/components/schemas"))
    for schema in named.members where schema.value["example"] != nil {
      let names = schemas.example(of: schema.value).members.map(\.name)
      let required = schema.value["required"]?.elements.compactMap(\.string) ?? []
      let properties = schema.value["properties"]?.members.map(\.name) ?? []
      #expect(Set(required).isSubset(of: names), "\(schema.name)")
      #expect(Set(names).isSubset(of: properties), "\(schema.name)")
      // In the order in which the service writes them.
      #expect(properties.filter { names.contains($0) } == names, "\(schema.name)")
    }
  }

  @Test("A YAML text keeps its kinds: what is quoted is a text, and what is not is what it looks like")
  func kinds() throws {
    let root = try OpenAPIDocument.root
    #expect(root["info"]?["version"] == .text("1"))
    #expect(root.at("#/components/parameters/Id")?["required"] == .flag(true))
    #expect(root.at("#/components/schemas/Name")?["maxLength"] == .number("64"))
  }
}

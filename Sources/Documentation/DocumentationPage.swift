import HTML

/// The API reference as one HTML page, made from the OpenAPI document. It loads nothing else, and has no script.
package struct DocumentationPage {
  private let api: DocumentedAPI
  private let guide: Markdown
  private let words: PageWords

  package init(_ document: DocumentNode, in words: PageWords = .english) {
    self.words = words
    api = DocumentedAPI(document, words)
    guide = Markdown(api.guide)
  }

  package var html: String {
    var html = HTML()
    html.markup("<!doctype html>\n")
    html.element("html", ["lang": words.tag]) { html in
      html.element("head") { html in
        html.void("meta", ["charset": "utf-8"])
        html.void("meta", ["name": "viewport", "content": "width=device-width, initial-scale=1"])
        html.void("meta", ["name": "color-scheme", "content": "light dark"])
        html.void("meta", ["name": "description", "content": api.summary])
        html.element("title", text: api.title)
        html.element("style") { $0.markup(Stylesheet.text) }
      }
      html.element("body") { body(&$0) }
    }
    return html.text + "\n"
  }

  private func body(_ html: inout HTML) {
    // The chosen language applies to all samples of the page, so its buttons come before all of them; their labels are
    // beside each sample.
    for language in ClientSample.Language.allCases {
      html.void(
        "input",
        [
          "class": "choice", "type": "radio", "name": "language", "id": "language-\(language.rawValue)",
          "aria-label": "\(words.samplesIn) \(language.title)",
        ], flags: language == .curl ? ["checked"] : [])
    }
    html.void("input", ["class": "choice", "type": "checkbox", "id": "menu", "aria-label": words.showContents])
    html.element("div", ["class": "page"]) { html in
      html.element("header", ["class": "bar"]) { html in
        html.element("a", ["class": "brand", "href": "#top"], text: api.title)
        html.element("label", ["for": "menu", "class": "menu"], text: words.contents)
      }
      html.element("nav", ["aria-label": words.contents]) { contents(&$0) }
      html.element("main", ["id": "top"]) { html in
        introduction(&html)
        for group in api.groups { section(of: group, &html) }
      }
    }
  }

  // MARK: Contents

  private func contents(_ html: inout HTML) {
    html.element("a", ["class": "brand", "href": "#top"], text: api.title)
    for other in PageWords.all where other.tag != words.tag {
      html.element(
        "a", ["class": "other", "href": "?language=\(other.tag)", "lang": other.tag, "hreflang": other.tag],
        text: other.ownName)
    }
    html.element("ul") { html in
      for case .heading(let heading) in guide.blocks {
        html.element("li") { $0.element("a", ["href": "#" + Markdown.anchor(of: heading)], text: heading) }
      }
    }
    for group in api.groups {
      html.element("h2") { $0.element("a", ["href": "#" + group.anchor], text: group.title) }
      html.element("ul") { html in
        for operation in group.operations {
          html.element("li") { html in
            html.element("a", ["href": "#" + operation.anchor]) { html in
              badge(operation.method, &html)
              html.element("span", text: operation.summary)
            }
          }
        }
      }
    }
  }

  private func badge(_ method: String, _ html: inout HTML) {
    html.element("b", ["class": "method \(method.lowercased())"], text: method == "DELETE" ? "DEL" : method)
  }

  // MARK: Introduction

  private func introduction(_ html: inout HTML) {
    html.element("div", ["class": "title"]) { html in
      html.element("h1", text: api.title)
      html.element("p", text: api.summary)
    }
    html.element("div", ["class": "guide"]) { html in
      for block in guide.blocks { write(block, &html) }
    }
  }

  private func write(_ block: Markdown.Block, _ html: inout HTML) {
    switch block {
    case .heading(let text): heading("h2", text, Markdown.anchor(of: text), &html)
    case .paragraph(let text): html.element("p") { $0.write(markdown: text) }
    case .code(_, let text): html.element("pre") { $0.element("code", text: text) }
    case .table(let rows):
      html.element("table") { html in
        html.element("thead") { row(rows.first ?? [], "th", &$0) }
        html.element("tbody") { html in
          for cells in rows.dropFirst() { row(cells, "td", &html) }
        }
      }
    }
  }

  private func row(_ cells: [String], _ element: StaticString, _ html: inout HTML) {
    html.element("tr") { html in
      for cell in cells { html.element(element) { $0.write(markdown: cell) } }
    }
  }

  private func heading(_ element: StaticString, _ text: String, _ anchor: String, _ html: inout HTML) {
    html.element(element, ["id": anchor]) { html in
      html.element("a", ["href": "#" + anchor], text: text)
    }
  }

  // MARK: Operations

  private func section(of group: DocumentedAPI.Group, _ html: inout HTML) {
    html.element("section", ["class": "group"]) { html in
      heading("h2", group.title, group.anchor, &html)
      for operation in group.operations {
        html.element("article", ["id": operation.anchor]) { html in
          html.element("div", ["class": "text"]) {
            OperationText(operation, basePath: api.basePath, words).write(to: &$0)
          }
          html.element("div", ["class": "code"]) { code(of: operation, &$0) }
        }
      }
    }
  }

  private func code(of operation: DocumentedOperation, _ html: inout HTML) {
    let sample = ClientSample(operation, basePath: api.basePath)
    html.element("div", ["class": "sample"]) { html in
      html.element("div", ["class": "tabs"]) { html in
        for language in ClientSample.Language.allCases {
          html.element(
            "label", ["for": "language-\(language.rawValue)", "class": language.rawValue], text: language.title)
        }
      }
      for language in ClientSample.Language.allCases {
        html.element("pre", ["class": language.rawValue]) {
          $0.element("code", text: sample.program(in: language))
        }
      }
    }
    for reply in operation.successes {
      html.element("div", ["class": "reply"]) { html in
        html.element("div", ["class": "status"]) { html in
          html.element("b", text: reply.status)
          html.write(markdown: " " + reply.text)
        }
        if let example = reply.example {
          html.element("pre") { html in html.element("code") { $0.write(json: example) } }
        }
      }
    }
  }
}

extension HTML {
  /// JSON with syntax highlighting.
  mutating func write(json value: DocumentNode, indentation: String = "") {
    switch value {
    case .null, .flag, .number: element("i", ["class": "n"], text: value.plainText)
    case .text: element("i", ["class": "s"], text: Literal.json.text(of: value))
    case .list(let elements):
      write("[")
      for (index, element) in elements.enumerated() {
        write(index == 0 ? "" : ", ")
        write(json: element, indentation: indentation)
      }
      write("]")
    case .object(let members):
      write("{")
      for (index, member) in members.enumerated() {
        write((index == 0 ? "" : ",") + "\n\(indentation)  ")
        element("i", ["class": "k"], text: Literal.json.text(of: .text(member.name)))
        write(": ")
        write(json: member.value, indentation: indentation + "  ")
      }
      write(members.isEmpty ? "}" : "\n\(indentation)}")
    }
  }
}

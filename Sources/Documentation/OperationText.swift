import HTML

/// The text about one operation: its purpose, what it takes, and what it replies.
struct OperationText {
  private let operation: DocumentedOperation
  private let words: PageWords
  private let basePath: String

  init(_ operation: DocumentedOperation, basePath: String, _ words: PageWords) {
    self.operation = operation
    self.words = words
    self.basePath = basePath
  }

  func write(to html: inout HTML) {
    html.element("h3") { html in
      html.element("a", ["href": "#" + operation.anchor], text: operation.summary)
    }
    html.element("p", ["class": "path"]) { html in
      html.element("b", ["class": "method \(operation.method.lowercased())"], text: operation.method)
      html.element("code") { html in
        html.element("span", text: basePath)
        html.write(operation.path)
      }
    }
    if !operation.text.isEmpty { html.element("p") { $0.write(markdown: operation.text) } }
    html.element("p", ["class": "needs"]) { $0.write(markdown: need) }
    for (place, title) in [
      ("path", words.inThePath), ("query", words.inTheQuery), ("header", words.headers),
    ] {
      let fields = operation.parameters.filter { $0.place == place }.map(\.field)
      table(title, fields, isOptionalMarked: place != "path", &html)
    }
    table(words.fieldsOfTheBody, operation.fields, isOptionalMarked: true, &html)
    for reply in operation.successes { describe(reply, &html) }
    errors(&html)
  }

  private var need: String {
    guard operation.needsToken else { return words.needsNoToken }
    return operation.permission.map { "\(words.needsTokenWith) `\($0)`." } ?? words.needsAnyToken
  }

  private func table(
    _ title: String, _ fields: [DocumentedField], isOptionalMarked: Bool, _ html: inout HTML
  ) {
    guard !fields.isEmpty else { return }
    html.element("h4", text: title)
    html.element("dl") { html in
      for field in fields { row(field, isOptionalMarked: isOptionalMarked, &html) }
    }
  }

  private func row(_ field: DocumentedField, isOptionalMarked: Bool, _ html: inout HTML) {
    html.element("dt", ["class": "depth-\(field.depth)"]) { html in
      html.element("code", text: field.name)
      html.write(" ")
      html.element("span", ["class": "type"], text: field.type)
      if isOptionalMarked, field.isRequired {
        html.write(" ")
        html.element("span", ["class": "required"], text: words.required)
      }
    }
    html.element("dd", ["class": "depth-\(field.depth)"]) { html in
      html.write(markdown: ([field.text].filter { !$0.isEmpty } + field.rules).joined(separator: " "))
    }
  }

  private func describe(_ reply: DocumentedOperation.Reply, _ html: inout HTML) {
    guard !reply.fields.isEmpty || !reply.headers.isEmpty else { return }
    html.element("details") { html in
      html.element("summary") { $0.write("\(words.whatIsHeldBy) \(reply.status)") }
      table(words.fields, reply.fields, isOptionalMarked: false, &html)
      if !reply.headers.isEmpty {
        html.element("h4", text: words.headers)
        html.element("dl") { html in
          for header in reply.headers {
            html.element("dt") { $0.element("code", text: header.name) }
            html.element("dd") { $0.write(markdown: header.text) }
          }
        }
      }
    }
  }

  private func errors(_ html: inout HTML) {
    guard !operation.errors.isEmpty else { return }
    html.element("details") { html in
      html.element("summary") { html in
        html.write(words.errors + " ")
        html.element("span", ["class": "statuses"], text: operation.errors.map(\.status).joined(separator: " "))
      }
      html.element("dl") { html in
        for reply in operation.errors {
          html.element("dt") { $0.element("code", text: reply.status) }
          html.element("dd") { $0.write(markdown: reply.text) }
        }
      }
    }
  }
}

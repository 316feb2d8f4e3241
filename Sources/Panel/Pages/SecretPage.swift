import HTML

/// Shows a secret that is shown only once and not stored.
struct SecretPage {
  let title: String
  let text: String
  let secret: String
  let nextPath: String
  let section: Page.Section

  func page(_ visit: Visit) -> Page {
    Page(title: title, section: section) { html in
      html.element("div", ["class": "narrow"]) { html in
        html.element("h1", text: title)
        html.element("p", text: text)
        html.element("p", ["class": "copy"]) { html in
          html.element("code", ["class": "secret"], text: secret)
          html.copyButton(secret, visit.words)
        }
        html.element("p") { html in
          html.element("a", ["class": "button main", "href": nextPath], text: visit.words(.continue))
        }
      }
    }
  }
}

extension HTML {
  /// Hidden until the script of the page shows it, because it needs a script.
  mutating func copyButton(_ text: String, _ words: Words) {
    element(
      "button", ["type": "button", "class": "plain", "data-copy": text, "data-done": words(.copied)],
      flags: ["hidden"], text: words(.copy))
  }
}

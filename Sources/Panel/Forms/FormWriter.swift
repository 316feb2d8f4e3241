import Core
import Engine
import HTML

/// Writes the fields of a form, with the values that were entered and the errors beside each.
struct FormWriter {
  let visit: Visit
  /// The form that was sent; empty where none was.
  var form = Form()
  var errors = FormErrors()

  private var words: Words { visit.words }

  /// The field that proves that a form comes from one of our pages.
  static func proof(_ html: inout HTML, _ visit: Visit) {
    html.void("input", ["type": "hidden", "name": "proof", "value": visit.session.formProof()])
  }

  /// Writes a whole form. Its key makes its action happen once, however often it is sent.
  func write(
    _ html: inout HTML, to path: String, class name: String = "", _ body: (inout HTML) -> Void
  ) {
    html.element("form", ["method": "post", "action": path, "class": name]) { html in
      Self.proof(&html, visit)
      html.void("input", ["type": "hidden", "name": "form", "value": RandomText.make()])
      general(&html)
      body(&html)
    }
  }

  /// Writes a form that consists of one button.
  func button(
    _ html: inout HTML, _ phrase: Phrase, to path: String, class name: String = "",
    hidden fields: [(name: String, value: String)] = []
  ) {
    html.element("form", ["method": "post", "action": path, "class": "one"]) { html in
      Self.proof(&html, visit)
      html.void("input", ["type": "hidden", "name": "form", "value": RandomText.make()])
      for field in fields { html.void("input", ["type": "hidden", "name": field.name, "value": field.value]) }
      html.element("button", ["class": name], text: words(phrase))
    }
  }

  private func general(_ html: inout HTML) {
    let count = errors.fields.count
    guard let message = errors.general ?? (count > 0 ? words(.somethingIsWrong) : nil) else { return }
    html.element("div", ["class": "notice bad", "role": "alert"], text: message)
  }

  /// - Parameters:
  ///   - value: The content of the field if the form was not sent yet.
  ///   - hint: One line below the label.
  func text(
    _ html: inout HTML, _ name: StaticString, _ label: String, value: String = "", hint: String? = nil,
    kind: String = "text", autocomplete: String = "off", limit: Int = 255, isRequired: Bool = false
  ) {
    field(&html, name, label, hint: hint) { html, describedBy in
      html.void(
        "input",
        [
          "id": "f-\(name)", "name": "\(name)", "type": kind,
          "value": kind == "password" ? "" : form.has(name) ? form.shown(name, limit) : value,
          "autocomplete": autocomplete, "maxlength": "\(limit)", "spellcheck": "false", "autocapitalize": "off",
          "aria-describedby": describedBy, "aria-invalid": errors[name].isEmpty ? "false" : "true",
        ], flags: isRequired ? ["required"] : [])
    }
  }

  func area(
    _ html: inout HTML, _ name: StaticString, _ label: String, hint: String? = nil, rows: Int = 3, limit: Int
  ) {
    field(&html, name, label, hint: hint) { html, describedBy in
      html.element(
        "textarea",
        [
          "id": "f-\(name)", "name": "\(name)", "rows": "\(rows)", "maxlength": "\(limit)", "spellcheck": "false",
          "autocomplete": "off", "aria-describedby": describedBy,
          "aria-invalid": errors[name].isEmpty ? "false" : "true",
        ], text: form.shown(name, limit))
    }
  }

  func choice(
    _ html: inout HTML, _ name: StaticString, _ label: String, _ options: [(value: String, label: String)],
    chosen: String = "", hint: String? = nil
  ) {
    let chosen = form.choice(name) ?? chosen
    field(&html, name, label, hint: hint) { html, describedBy in
      html.element(
        "select",
        [
          "id": "f-\(name)", "name": "\(name)", "aria-describedby": describedBy,
          "aria-invalid": errors[name].isEmpty ? "false" : "true",
        ]
      ) { html in
        for option in options {
          html.element(
            "option", ["value": option.value], flags: option.value == chosen ? ["selected"] : [], text: option.label)
        }
      }
    }
  }

  func check(
    _ html: inout HTML, _ name: StaticString, _ label: String, isOn: Bool = false, hint: String? = nil,
    value: String = "on", wasSent: Bool
  ) {
    let isOn = wasSent ? form.choices(name).contains(value) : isOn
    html.element("div", ["class": "field"]) { html in
      html.element("label", ["class": "check"]) { html in
        html.void(
          "input", ["type": "checkbox", "name": "\(name)", "value": value], flags: isOn ? ["checked"] : [])
        html.element("span", text: label)
      }
      if let hint { html.element("p", ["class": "hint"], text: hint) }
      messages(&html, name)
    }
  }

  /// Cards of which one is chosen.
  func cards(
    _ html: inout HTML, _ name: StaticString, _ label: String, _ cards: [Card], chosen: String
  ) {
    let chosen = form.choice(name) ?? chosen
    html.element("fieldset", ["class": "cards"]) { html in
      html.element("legend", text: label)
      messages(&html, name)
      html.element("div", ["class": "grid"]) { html in
        for card in cards {
          html.element("label", ["class": "card"]) { html in
            html.void(
              "input", ["type": "radio", "name": "\(name)", "value": card.value],
              flags: card.value == chosen ? ["checked"] : [])
            html.element("span", ["class": "card-title"], text: card.title)
            for line in card.lines { html.element("span", ["class": "card-line"], text: line) }
          }
        }
      }
    }
  }

  struct Card {
    let value: String
    let title: String
    var lines: [String] = []
  }

  func submit(_ html: inout HTML, _ phrase: Phrase, class name: String = "main") {
    html.element("div", ["class": "actions"]) { html in
      html.element("button", ["class": name, "type": "submit"], text: words(phrase))
    }
  }

  private func field(
    _ html: inout HTML, _ name: StaticString, _ label: String, hint: String?,
    _ control: (inout HTML, _ describedBy: String) -> Void
  ) {
    html.element("div", ["class": "field"]) { html in
      html.element("label", ["for": "f-\(name)"], text: label)
      if let hint { html.element("p", ["class": "hint", "id": "h-\(name)"], text: hint) }
      control(
        &html,
        [hint == nil ? nil : "h-\(name)", errors[name].isEmpty ? nil : "e-\(name)"]
          .compactMap(\.self).joined(separator: " "))
      messages(&html, name)
    }
  }

  private func messages(_ html: inout HTML, _ name: StaticString) {
    let messages = errors[name]
    guard !messages.isEmpty else { return }
    html.element("p", ["class": "error", "id": "e-\(name)"], text: messages.joined(separator: " "))
  }
}

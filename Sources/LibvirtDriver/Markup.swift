/// An XML element that is always rendered well-formed: every string is escaped.
struct Markup: Sendable {
  let name: String
  let attributes: [(name: String, value: String)]
  let children: [Markup]
  let text: String

  init(_ name: String, _ attributes: KeyValuePairs<String, String> = [:], _ children: [Markup] = []) {
    self.name = name
    self.attributes = attributes.map { ($0.key, $0.value) }
    self.children = children
    self.text = ""
  }

  init(_ name: String, _ attributes: KeyValuePairs<String, String> = [:], text: String) {
    self.name = name
    self.attributes = attributes.map { ($0.key, $0.value) }
    self.children = []
    self.text = text
  }

  var rendered: String {
    var output = ""
    render(into: &output, indentation: "")
    return output
  }

  private func render(into output: inout String, indentation: String) {
    output += "\(indentation)<\(name)"
    for attribute in attributes {
      output += " \(attribute.name)=\"\(Self.escaped(attribute.value))\""
    }
    if children.isEmpty, text.isEmpty {
      output += "/>\n"
    } else if children.isEmpty {
      output += ">\(Self.escaped(text))</\(name)>\n"
    } else {
      output += ">\n"
      for child in children { child.render(into: &output, indentation: indentation + "  ") }
      output += "\(indentation)</\(name)>\n"
    }
  }

  static func escaped(_ text: String) -> String {
    var output = ""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "&": output += "&amp;"
      case "<": output += "&lt;"
      case ">": output += "&gt;"
      case "\"": output += "&quot;"
      case "'": output += "&apos;"
      case "\t", "\n", "\r": output += "&#\(scalar.value);"
      // XML 1.0 cannot represent these.
      case _ where scalar.value < 0x20 || scalar.value == 0xFFFE || scalar.value == 0xFFFF: output += "\u{FFFD}"
      default: output.unicodeScalars.append(scalar)
      }
    }
    return output
  }
}

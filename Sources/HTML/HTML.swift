/// Writes HTML: every text and every attribute is escaped here, and every element that is opened is closed.
package struct HTML {
  package typealias Attributes = KeyValuePairs<StaticString, String>

  package private(set) var text = ""

  package init() {}

  /// - Parameter flags: Attributes that need no value.
  package mutating func element(
    _ name: StaticString, _ attributes: Attributes = [:], flags: [StaticString] = [], _ body: (inout HTML) -> Void
  ) {
    open(name, attributes, flags)
    body(&self)
    text += "</\(name)>"
  }

  package mutating func element(
    _ name: StaticString, _ attributes: Attributes = [:], flags: [StaticString] = [], text: String
  ) {
    element(name, attributes, flags: flags) { $0.write(text) }
  }

  /// A void element, which has neither content nor an end tag.
  /// - Parameter flags: Attributes that need no value.
  package mutating func void(_ name: StaticString, _ attributes: Attributes, flags: [StaticString] = []) {
    open(name, attributes, flags)
  }

  package mutating func write(_ text: String) {
    self.text += Self.escaped(text)
  }

  /// Appends what another writer has written.
  package mutating func append(_ other: HTML) { text += other.text }

  /// Writes markup of our own, unescaped.
  package mutating func markup(_ text: StaticString) {
    self.text += "\(text)"
  }

  private mutating func open(_ name: StaticString, _ attributes: Attributes, _ flags: [StaticString] = []) {
    text += "<\(name)"
    for (attribute, value) in attributes { text += " \(attribute)=\"\(Self.escaped(value))\"" }
    for flag in flags { text += " \(flag)" }
    text += ">"
  }

  package static func escaped(_ text: String) -> String {
    var escaped = ""
    escaped.reserveCapacity(text.utf8.count)
    for scalar in text.unicodeScalars {
      switch scalar {
      case "&": escaped += "&amp;"
      case "<": escaped += "&lt;"
      case ">": escaped += "&gt;"
      case "\"": escaped += "&quot;"
      case "'": escaped += "&#39;"
      default: escaped.unicodeScalars.append(scalar)
      }
    }
    return escaped
  }
}

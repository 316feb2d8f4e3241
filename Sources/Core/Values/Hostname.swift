/// A fully qualified domain name, or a single label, by RFC 1123: labels of at most 63 letters, digits and hyphens, 253
/// characters in all.
package struct Hostname: Hashable, Sendable, CustomStringConvertible {
  package static let maximumLength = 253

  package let name: String

  package init?(_ text: String) {
    guard !text.isEmpty, text.isPlain(atMost: Self.maximumLength) else { return nil }
    let labels = text.split(separator: ".", omittingEmptySubsequences: false)
    guard labels.allSatisfy({ Self.isLabel($0, maximumLength: 63) }) else { return nil }
    // A name that ends in a number, 10.0.0.1 or 10.0x1, would be read as an address.
    if labels.count > 1, Self.isNumber(labels.last!) { return nil }
    self.name = text
  }

  /// A full domain name, with at least two labels, converted to lower case: a name that an address may have.
  package init?(ofAddress text: String) {
    guard text.isPlain(atMost: Self.maximumLength), let hostname = Hostname(text.lowercased()),
      hostname.name.utf8.contains(UInt8(ascii: "."))
    else { return nil }
    self = hostname
  }

  /// The message for somebody who wrote anything else.
  package static let ruleOfAddress =
    "Enter a whole domain name by RFC 1123, such as web01.example.com: at least two labels of 1 to 63 letters, digits and "
    + "hyphens, no hyphen first or last, no dot at the end, at most 253 characters, and not only digits in the last label."

  /// The default host name of a server: the server's name, cut to the length of a label.
  package init(serverName: ServerName) {
    var label = serverName.name.prefix(63)
    while label.last == "-" { label.removeLast() }
    self.name = String(label)
  }

  /// Whether inet_aton(3) would read the label as a number.
  private static func isNumber(_ label: Substring) -> Bool {
    let isHexadecimal = label.hasPrefix("0x") || label.hasPrefix("0X")
    return isHexadecimal ? label.dropFirst(2).allSatisfy(\.isHexDigit) : label.allSatisfy(\.isNumber)
  }

  package var firstLabel: String { String(name.prefix { $0 != "." }) }
  package var description: String { name }

  /// Letters, digits and hyphens, with no hyphen at either end.
  package static func isLabel(_ text: some StringProtocol, maximumLength: Int) -> Bool {
    guard (1...maximumLength).contains(text.utf8.count) else { return false }
    let bytes = Array(text.utf8)
    let hyphen = UInt8(ascii: "-")
    return bytes.first != hyphen && bytes.last != hyphen
      && bytes.allSatisfy { byte in
        byte == hyphen || (48...57).contains(byte) || (65...90).contains(byte) || (97...122).contains(byte)
      }
  }
}

/// The customer's name for a server: 1 to 64 letters, digits and hyphens, no hyphen first or last. It need not be unique.
package struct ServerName: Hashable, Sendable, CustomStringConvertible {
  package static let maximumLength = 64

  package let name: String

  package init?(_ text: String) {
    guard Hostname.isLabel(text, maximumLength: Self.maximumLength) else { return nil }
    self.name = text
  }

  package var description: String { name }
}

/// The customer's name for a server: 1 to 64 letters, digits and hyphens, without a hyphen at either end. It need not
/// be unique.
package struct ServerName: Hashable, Sendable, CustomStringConvertible {
  package static let maximumLength = 64

  package let name: String

  package init?(_ text: String) {
    guard Hostname.isLabel(text, maximumLength: Self.maximumLength) else { return nil }
    self.name = text
  }

  package var description: String { name }
}

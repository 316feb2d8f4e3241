import Core

/// Signs its bearer in, once. The text is handed out; only its hash is stored.
package struct LoginLinkText: Sendable, CustomStringConvertible {
  package let text: String

  /// Nil for a text that no link can have.
  package init?(_ text: some StringProtocol) {
    guard RandomText.isPossible(text) else { return nil }
    self.text = String(text)
  }

  package static func random() -> LoginLinkText { LoginLinkText(RandomText.make())! }

  /// The path of the panel's page that takes the link.
  package var path: String { "/sign-in?link=\(text)" }

  var hash: TokenHash { TokenHash(hexadecimal: SHA256.hexadecimal(Array("vpsd login link\n\(text)".utf8))) }

  /// - Parameter base: The panel's base URL, without a trailing slash.
  package func url(at base: String) -> String { base + path }

  package var description: String { "…" }
}

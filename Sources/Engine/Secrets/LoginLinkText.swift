import Core

/// Signs whoever has it in, once. It is given away, and only its hash is kept.
package struct LoginLinkText: Sendable, CustomStringConvertible {
  package let text: String

  /// Nil for a text that no link can have.
  package init?(_ text: some StringProtocol) {
    guard RandomText.isPossible(text) else { return nil }
    self.text = String(text)
  }

  package static func random() -> LoginLinkText { LoginLinkText(RandomText.make())! }

  /// Of the panel's page that takes it.
  package var path: String { "/sign-in?link=\(text)" }

  var hash: TokenHash { TokenHash(hexadecimal: SHA256.hexadecimal(Array("vpsd login link\n\(text)".utf8))) }

  /// - Parameter base: Where people reach the panel, without a slash at its end.
  package func url(at base: String) -> String { base + path }

  package var description: String { "…" }
}

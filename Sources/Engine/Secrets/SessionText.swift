package import Core

/// What the browser of a person who is signed in has as a cookie. Only its hash is kept, and no token has its form.
package struct SessionText: Sendable, CustomStringConvertible {
  package let text: String

  /// Nil for a text that no session can have.
  package init?(_ text: some StringProtocol) {
    guard RandomText.isPossible(text) else { return nil }
    self.text = String(text)
  }

  package static func random() -> SessionText { SessionText(RandomText.make())! }

  package var hash: TokenHash { TokenHash(hexadecimal: SHA256.hexadecimal(Array("vpsd session\n\(text)".utf8))) }

  /// What every form of the session has in it, and no other page can know.
  package var formProof: String { SHA256.hexadecimal(Array("vpsd form\n\(text)".utf8)) }

  package var description: String { "…" }
}

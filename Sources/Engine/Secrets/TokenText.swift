package import Core

/// The text of a bearer token: `vps_` and 43 url-safe characters that carry 256 random bits. It is shown once; only its
/// hash is kept, and needs no salt because the text cannot be guessed.
package struct TokenText: Sendable, CustomStringConvertible {
  package let text: String

  /// Nil for a text that no token can have.
  package init?(_ text: some StringProtocol) {
    guard text.isPlain(atMost: 64), text.hasPrefix(Self.prefix),
      RandomText.isPossible(text.dropFirst(Self.prefix.count))
    else { return nil }
    self.text = String(text)
  }

  package static func random() -> TokenText {
    TokenText(prefix + RandomText.make())!
  }

  package var hash: TokenHash {
    TokenHash(hexadecimal: SHA256.hexadecimal(Array(text.utf8)))
  }

  package var description: String { "\(Self.prefix)…" }

  private static let prefix = "vps_"
}

package import Core

/// The text of a bearer token: `vps_` and 43 url-safe characters that carry 256 random bits. It is shown once; only its
/// hash is kept, and needs no salt because the text cannot be guessed.
package struct TokenText: Sendable, CustomStringConvertible {
  package let text: String

  /// Nil for a text that no token can have.
  package init?(_ text: some StringProtocol) {
    let bytes = text.utf8
    guard bytes.count == Self.length, text.hasPrefix(Self.prefix),
      bytes.dropFirst(Self.prefix.utf8.count).allSatisfy({ Self.alphabet.contains($0) })
    else { return nil }
    self.text = String(text)
  }

  package static func random() -> TokenText {
    var generator = SystemRandomNumberGenerator()
    let characters = (0..<43).map { _ in alphabet[Int(generator.next(upperBound: UInt64(alphabet.count)))] }
    return TokenText(prefix + String(decoding: characters, as: UTF8.self))!
  }

  package var hash: TokenHash {
    TokenHash(hexadecimal: SHA256.hexadecimal(Array(text.utf8)))
  }

  package var description: String { "\(Self.prefix)…" }

  private static let prefix = "vps_"
  private static let length = 47
  private static let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_".utf8)
}

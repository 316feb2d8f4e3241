package import Core
import Foundation

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

  /// What every form of the session has in it, and no other page can know. It is another text each time: pages are compressed, and
  /// who sees how long they become could guess one that stays the same, by what he has them say beside it. It passes through a form's
  /// body as it is.
  package func formProof() -> String {
    let secret = SHA256.digest(Array("vpsd form\n\(text)".utf8))
    var generator = SystemRandomNumberGenerator()
    let mask = secret.map { _ in UInt8.random(in: .min ... .max, using: &generator) }
    let base64 = Data(mask + zip(mask, secret).map { $0 ^ $1 }).base64EncodedString()
    return base64.replacing("+", with: "-").replacing("/", with: "_")
  }

  package func isProof(_ proof: String) -> Bool {
    let secret = SHA256.digest(Array("vpsd form\n\(text)".utf8))
    let base64 = proof.replacing("-", with: "+").replacing("_", with: "/")
    guard let bytes = Data(base64Encoded: base64), bytes.count == 2 * secret.count else { return false }
    let shown = zip(bytes.prefix(secret.count), bytes.dropFirst(secret.count)).map { $0 ^ $1 }
    return zip(shown, secret).reduce(0) { $0 | ($1.0 ^ $1.1) } == 0
  }

  package var description: String { "…" }
}

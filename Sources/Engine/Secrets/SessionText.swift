package import Core
import Foundation

/// The cookie in the browser of a person who is signed in. Only its hash is stored, and no bearer token has its form.
package struct SessionText: Sendable, CustomStringConvertible {
  package let text: String

  /// Nil for a text that no session can have.
  package init?(_ text: some StringProtocol) {
    guard RandomText.isPossible(text) else { return nil }
    self.text = String(text)
  }

  package static func random() -> SessionText { SessionText(RandomText.make())! }

  package var hash: TokenHash { TokenHash(hexadecimal: SHA256.hexadecimal(Array("vpsd session\n\(text)".utf8))) }

  /// The text in every form of the session that no page outside the session can know, against forged requests. It differs each
  /// time, because pages are compressed: an attacker who sees their lengths, and has text of his own put beside a constant
  /// secret, could guess the secret. It needs no escaping in the body of a form.
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

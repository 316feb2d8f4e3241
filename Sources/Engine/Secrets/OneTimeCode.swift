import COpenSSL
import Core
import Foundation

/// The codes that authenticator apps show: RFC 6238 with SHA-1, thirty seconds and six digits, which all apps support.
package struct OneTimeCode: Sendable {
  private static let secretBytes = 20
  private static let stepSeconds: Int64 = 30
  private static let digits = 6
  private static let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567".utf8)

  private let secret: [UInt8]

  static func random() -> OneTimeCode {
    var generator = SystemRandomNumberGenerator()
    return OneTimeCode(secret: (0..<secretBytes).map { _ in UInt8.random(in: .min ... .max, using: &generator) })
  }

  init(secret: [UInt8]) {
    self.secret = secret
  }

  /// Reads the secret as it is stored and typed into an authenticator: base 32 without padding.
  package init?(_ text: some StringProtocol) {
    guard text.isPlain(atMost: Self.secretBytes * 8 / 5), text.utf8.count == Self.secretBytes * 8 / 5 else {
      return nil
    }
    var (bits, count, bytes) = (UInt32(0), 0, [UInt8]())
    for character in text.utf8 {
      guard let value = Self.alphabet.firstIndex(of: character) else { return nil }
      bits = bits << 5 | UInt32(value)
      count += 5
      guard count >= 8 else { continue }
      count -= 8
      bytes.append(UInt8(truncatingIfNeeded: bits >> UInt32(count)))
      bits &= (1 << UInt32(count)) - 1
    }
    guard bytes.count == Self.secretBytes else { return nil }
    secret = bytes
  }

  package var text: String {
    var (bits, count, characters) = (UInt32(0), 0, [UInt8]())
    for byte in secret {
      bits = bits << 8 | UInt32(byte)
      count += 8
      while count >= 5 {
        count -= 5
        characters.append(Self.alphabet[Int(bits >> UInt32(count) & 31)])
      }
      bits &= (1 << UInt32(count)) - 1
    }
    return String(decoding: characters, as: UTF8.self)
  }

  /// The `otpauth` URL that an authenticator reads from a QR code.
  package func address(account: String, issuer: String) -> String {
    let label = "\(issuer):\(account)".addingPercentEncoding(withAllowedCharacters: .alphanumerics) ?? issuer
    return "otpauth://totp/\(label)?secret=\(text)&issuer=\(issuer)"
  }

  /// The time step of a code: the current one, or the one before or after it, because clocks differ. Nil where the code is of
  /// none of these steps.
  ///
  /// - Parameter last: The step of the last accepted code; no code is accepted twice.
  func step(of code: String, at now: Timestamp, after last: Int64) -> Int64? {
    guard code.isPlain(atMost: Self.digits), code.utf8.count == Self.digits else { return nil }
    let current = now.millisecondsSinceEpoch / 1000 / Self.stepSeconds
    return (current - 1...current + 1).first { $0 > last && self.code(at: $0).utf8.elementsEqual(code.utf8) }
  }

  func code(at step: Int64) -> String {
    let message = (0..<8).map { UInt8(truncatingIfNeeded: UInt64(bitPattern: step) >> UInt64(56 - 8 * $0)) }
    var digest = [UInt8](repeating: 0, count: Int(EVP_MAX_MD_SIZE))
    var length: UInt32 = 0
    HMAC(EVP_sha1(), secret, Int32(secret.count), message, message.count, &digest, &length)
    let offset = Int(digest[Int(length) - 1] & 15)
    let number = digest[offset..<offset + 4].reduce(UInt32(0)) { $0 << 8 | UInt32($1) } & 0x7FFF_FFFF
    let text = String(number % 1_000_000)
    return String(repeating: "0", count: Self.digits - text.utf8.count) + text
  }
}

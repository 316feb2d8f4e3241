import COpenSSL
import Foundation

/// The secret that the service and a receiver share, so that the receiver can verify who sends a notice: `whsec_` and 24 to 64
/// bytes in base64, as in Standard Webhooks.
package struct WebhookSecret: Sendable, Equatable {
  private static let prefix = "whsec_"
  private static let lengths = 24...64

  private let key: [UInt8]

  package init?(_ text: String) {
    guard text.utf8.count <= 128, text.hasPrefix(Self.prefix),
      let data = Data(base64Encoded: String(text.dropFirst(Self.prefix.count))), Self.lengths.contains(data.count)
    else { return nil }
    key = Array(data)
  }

  /// `v1,` and the HMAC-SHA256 of id, time and body in base64.
  package func signature(id: String, timestamp: Int64, body: [UInt8]) -> String {
    let message = Array("\(id).\(timestamp).".utf8) + body
    var digest = [UInt8](repeating: 0, count: Int(SHA256_DIGEST_LENGTH))
    var length = UInt32(0)
    _ = HMAC(EVP_sha256(), key, Int32(key.count), message, message.count, &digest, &length)
    return "v1," + Data(digest.prefix(Int(length))).base64EncodedString()
  }
}

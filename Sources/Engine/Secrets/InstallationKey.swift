import Core
package import Foundation

/// The key that seals texts which the service itself must be able to read again. It is kept beside the database, not in it.
package struct InstallationKey: Sendable {
  package static let length = 32

  package let bytes: [UInt8]

  package init?(_ bytes: [UInt8]) {
    guard bytes.count == Self.length else { return nil }
    self.bytes = bytes
  }

  package static func random() -> InstallationKey {
    var generator = SystemRandomNumberGenerator()
    return InstallationKey((0..<length).map { _ in UInt8.random(in: .min ... .max, using: &generator) })!
  }

  /// Lets services compare their keys; it reveals nothing of the key.
  package var fingerprint: String { SHA256.hexadecimal(Array("vpsd key fingerprint\n".utf8) + bytes) }

  /// Each server has a derived key of its own, so that the sealed user data of one row cannot be put into another.
  package func seal(userData: String, of server: UUID) throws -> [UInt8] {
    guard let sealed = body(of: server).seal(Array(userData.utf8)) else {
      throw Failure.internalError("libcrypto does not encrypt.")
    }
    return sealed
  }

  /// Nil for what was sealed by another installation, or was changed since.
  package func open(userData sealed: [UInt8], of server: UUID) -> String? {
    body(of: server).open(sealed).map { String(decoding: $0, as: UTF8.self) }
  }

  private func body(of server: UUID) -> SealedBody {
    SealedBody(key: SHA256.digest(Array("vpsd user data \(server.text)\n".utf8) + bytes))
  }
}

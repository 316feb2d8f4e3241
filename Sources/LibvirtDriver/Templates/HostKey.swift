import COpenSSL
import Core
import Foundation

/// A new Ed25519 key by which sshd proves which server it is, as OpenSSH keeps it in files. It is made for one server, sent to its
/// guest, and kept nowhere else.
struct HostKey {
  /// `ssh_host_ed25519_key`: not encrypted, and without a comment.
  let privateFile: String
  /// `ssh_host_ed25519_key.pub` up to its comment: the type and the key in base64.
  let publicPart: String

  private static let type = "ssh-ed25519"
  private static let bytes = 32
  /// OpenSSH pads what it encrypts, and also what it does not, to this length.
  private static let block = 8
  private static let lineLength = 70

  init() throws {
    // By RFC 8032 any 32 random bytes are a private key.
    try self.init(secret: (0..<Self.bytes).map { _ in UInt8.random(in: .min ... .max) })
  }

  init(secret: [UInt8]) throws {
    let point = try Self.publicKey(of: secret)
    let blob = Self.field(Array(Self.type.utf8)) + Self.field(point)
    publicPart = "\(Self.type) \(Data(blob).base64EncodedString())"
    // Two equal numbers show a reader that it has decrypted this correctly.
    var hidden = [UInt8](repeating: 0, count: 8) + blob + Self.field(secret + point) + Self.field([])
    var padding: UInt8 = 0
    while hidden.count % Self.block != 0 {
      padding += 1
      hidden.append(padding)
    }
    let none = Self.field(Array("none".utf8))
    let content =
      Array("openssh-key-v1\0".utf8) + none + none + Self.field([]) + Self.number(1) + Self.field(blob)
      + Self.field(hidden)
    privateFile = Self.armoured(Data(content).base64EncodedString())
  }

  private static func publicKey(of secret: [UInt8]) throws -> [UInt8] {
    guard let key = EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, nil, secret, secret.count) else { throw failure }
    defer { EVP_PKEY_free(key) }
    var point = [UInt8](repeating: 0, count: bytes)
    var count = point.count
    guard EVP_PKEY_get_raw_public_key(key, &point, &count) == 1, count == point.count else { throw failure }
    return point
  }

  private static var failure: DriverError { DriverError(.unreachable, "libcrypto made no Ed25519 key") }

  private static func number(_ number: Int) -> [UInt8] {
    withUnsafeBytes(of: UInt32(number).bigEndian, Array.init)
  }

  private static func field(_ content: [UInt8]) -> [UInt8] { number(content.count) + content }

  private static func armoured(_ base64: String) -> String {
    var lines: [Substring] = []
    var rest = Substring(base64)
    while !rest.isEmpty {
      lines.append(rest.prefix(lineLength))
      rest = rest.dropFirst(lineLength)
    }
    let label = "OPENSSH PRIVATE KEY"
    return "-----BEGIN \(label)-----\n" + lines.map { "\($0)\n" }.joined() + "-----END \(label)-----\n"
  }
}

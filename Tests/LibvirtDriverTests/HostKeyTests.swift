import Foundation
import TestSupport
import Testing

@testable import LibvirtDriver

@Suite("A host key that is made for a guest")
struct HostKeyTests {
  /// The first test vector of RFC 8032.
  private static let secret = bytes("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60")
  private static let point = bytes("d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a")

  private static func bytes(_ hexadecimal: String) -> [UInt8] {
    stride(from: 0, to: hexadecimal.count, by: 2).compactMap { position in
      UInt8(hexadecimal.dropFirst(position).prefix(2), radix: 16)
    }
  }

  @Test("It is the public key of its secret")
  func vector() throws {
    let words = try HostKey(secret: Self.secret).publicPart.split(separator: " ")
    #expect(words.count == 2 && words[0] == "ssh-ed25519")
    #expect(Data(base64Encoded: String(words[1])).map { Array($0.suffix(32)) } == Self.point)
  }

  @Test("No two are alike, and nothing but 32 bytes is a secret")
  func fresh() throws {
    let keys = try (0..<50).map { _ in try HostKey() }
    #expect(Set(keys.map(\.publicPart)).count == 50 && Set(keys.map(\.privateFile)).count == 50)
    #expect(throws: (any Error).self) { try HostKey(secret: [1, 2, 3]) }
  }

  @Test(
    "OpenSSH reads it, finds the same public key in it, and signs with it",
    arguments: [HostKeyTests.secret, [UInt8](repeating: 0, count: 32), [UInt8](repeating: 255, count: 32), nil])
  func isRead(_ secret: [UInt8]?) async throws {
    let key = try secret.map(HostKey.init(secret:)) ?? HostKey()
    let folder = try ScopedFolder()
    defer { withExtendedLifetime(folder) {} }
    let (file, signature) = (folder.url.path + "/key", folder.url.path + "/signature")
    try Data(key.privateFile.utf8).write(to: URL(fileURLWithPath: file))
    chmod(file, 0o600)
    expectEqual(try await Program("ssh-keygen", ["-y", "-f", file]).output(), key.publicPart)
    let message = Array("signed\n".utf8)
    let signed = try await Program("ssh-keygen", ["-q", "-Y", "sign", "-n", "test", "-f", file]).output(input: message)
    try Data("\(signed)\n".utf8).write(to: URL(fileURLWithPath: signature))
    let signers = folder.url.path + "/signers"
    try Data("host \(key.publicPart)\n".utf8).write(to: URL(fileURLWithPath: signers))
    let verify = Program("ssh-keygen", ["-Y", "verify", "-f", signers, "-I", "host", "-n", "test", "-s", signature])
    #expect(try await verify.output(input: message).hasPrefix("Good"))
    await #expect(throws: (any Error).self) { try await verify.output(input: Array("another".utf8)) }
  }
}

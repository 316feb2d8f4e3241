import Core
import Foundation
import TestSupport
import Testing

@testable import Engine

@Suite("Secrets and keys")
struct SecretsTests {
  @Test("A token's text is vps_ and 43 url-safe characters, never the same twice, and hashes as SHA-256 does")
  func tokens() throws {
    let texts = Set((0..<100).map { _ in TokenText.random().text })
    #expect(texts.count == 100)
    #expect(texts.allSatisfy { $0.wholeMatch(of: /vps_[A-Za-z0-9_-]{43}/) != nil })
    let known = try #require(TokenText("vps_" + String(repeating: "a", count: 43)))
    // printf 'vps_aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa' | sha256sum
    #expect(known.hash.hexadecimal == "ff1ca45ac530b88cbddbdd13aca508f578627634744b30a9c45d5d4ddcdd8cd0")
    #expect(!"\(known)".contains("aaa"))
  }

  @Test(
    "What cannot be a token is not looked up",
    arguments: ["", "vps_", "YOUR_API_TOKEN", "vps_é" + String(repeating: "a", count: 41)])
  func noTokens(text: String) {
    #expect(TokenText(text) == nil)
  }

  @Test("A root password's hash is what crypt(3) makes of it")
  func passwordHash() throws {
    // openssl passwd -6 -salt abcdefgh secret
    #expect(
      try Crypt.hash("secret", setting: "$6$abcdefgh$")
        == "$6$abcdefgh$ltjgWl6579NluT/Vi1nwEvcil.G5Nbc4NiXZaNGStk8PSwGfQv72N2CKPPrVACtLtip/cZ/1GM/O6IND4WQhG.")
  }

  @Test("A revoked token is refused within a second, an expired one at once")
  func revocation() async throws {
    let service = try await TestService()
    let soon = service.clock.now + .milliseconds(500)
    let expiring = try await service.newToken(of: service.owner.accountID, permissions: [.everything], expiresAt: soon)
    #expect(try await service.authenticator.caller(bearing: expiring.token.text) == expiring.caller)
    service.clock.advance(by: .milliseconds(500))
    await #expect(throws: Failure.self) { try await service.authenticator.caller(bearing: expiring.token.text) }

    let revoked = try await service.newToken(of: service.owner.accountID, permissions: [.everything])
    _ = try await service.authenticator.caller(bearing: revoked.token.text)
    #expect(try await service.store.revokeToken(revoked.caller.tokenID, at: service.clock.now))
    service.clock.advance(by: .seconds(1))
    await #expect(throws: Failure.self) { try await service.authenticator.caller(bearing: revoked.token.text) }
  }

  @Test("The use of a token is written down in the end")
  func lastUse() async throws {
    let service = try await TestService()
    try await service.authenticator.recordUses()
    #expect(try await service.store.tokens().first?.lastUsedAt == service.clock.now)
  }

  @Test("An OpenSSH key is read with its fingerprint")
  func publicKey() throws {
    let key = try PublicKey(
      "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIEEtPDKzUWihPme4dGcLE2kCi+cm1EvQFO7NJyoqniYz me@host")
    #expect(key.fingerprint == "SHA256:rDrgBNjOhHUtB7TCOa2MFu+Dr4PSBPl1gmAJvFuOWtA")
    #expect(key.comment == "me@host")
  }

  @Test(
    "What sshd would not take is refused",
    arguments: [
      "", "ssh-ed25519", "ssh-ed25519 AAAA", "ssh-dss AAAAB3NzaC1kc3MAAACBAP",
      "no-pty ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIEEtPDKzUWihPme4dGcLE2kCi+cm1EvQFO7NJyoqniYz me@host",
      "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIEEtPDKzUWihPme4dGcLE2kCi+cm1EvQFO7NJyoqniYz me@host\nssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIEEtPDKzUWihPme4dGcLE2kCi+cm1EvQFO7NJyoqniYz me@host",
      "command=\"sh\" ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIEEtPDKzUWihPme4dGcLE2kCi+cm1EvQFO7NJyoqniYz me@host",
      "ssh-rsa AAAAC3NzaC1lZDI1NTE5AAAAIEEtPDKzUWihPme4dGcLE2kCi+cm1EvQFO7NJyoqniYz me@host",
    ])
  func badPublicKeys(text: String) {
    #expect(throws: PublicKey.Refusal.self) { try PublicKey(text) }
  }
}

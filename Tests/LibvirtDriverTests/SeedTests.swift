import Core
import Foundation
import Testing

@testable import LibvirtDriver

@Suite("The seed of a guest")
struct SeedTests {
  private let machine = UUID()

  private func seed(
    hostname: String = "web.example.com", key: String? = "ssh-ed25519 AAAA me", passwordHash: String? = nil,
    memoryMiB: Int = 512, allowsOutbound: Bool = false
  ) throws -> Seed {
    Seed(
      specification: MachineSpecification(
        machine: machine, label: "server-1", hostname: try #require(Hostname(hostname)), vcpus: 1,
        memoryMiB: memoryMiB, storageGiB: 4, imageName: "debian-12", imageVersion: "1",
        address: IPv4Address(number: 0x7F50_000B), authorizedKey: key, rootPasswordHash: passwordHash,
        mayCreateDisk: true),
      allowsOutbound: allowsOutbound)
  }

  private func tar(_ arguments: [String], _ seed: Seed) async throws -> String {
    try await Program("tar", arguments).output(input: seed.archive)
  }

  @Test("Is an archive that tar reads, with the modes that sshd insists on")
  func listing() async throws {
    let listing = try await tar(["-tvf", "-"], try seed())
    let entries = listing.split(separator: "\n").map { $0.split(separator: " ", omittingEmptySubsequences: true) }
    let modes = Dictionary(uniqueKeysWithValues: entries.map { (String($0[5]), String($0[0])) })
    #expect(modes["first/root/.ssh/"] == "drwx------")
    #expect(modes["first/root/.ssh/authorized_keys"] == "-rw-------")
    #expect(modes["revision"] == "-rw-r--r--")
    #expect(entries.allSatisfy { $0[1] == "root/root" })
    #expect(modes["root-password"] == nil)
  }

  @Test("Tells the guest its names, its network, its keys and its machine id")
  func content() async throws {
    let seed = try seed()
    #expect(try await tar(["-xOf", "-", "boot/etc/hostname"], seed) == "web")
    #expect(try await tar(["-xOf", "-", "boot/etc/hosts"], seed).contains("127.0.1.1 web.example.com web\n"))
    #expect(
      try await tar(["-xOf", "-", "boot/etc/vpsd/network"], seed)
        == "ADDRESS4=10.0.2.15/24\nGATEWAY4=10.0.2.2\nDNS=\"10.0.2.3\"")
    #expect(try await tar(["-xOf", "-", "first/root/.ssh/authorized_keys"], seed) == "ssh-ed25519 AAAA me")
    #expect(
      try await tar(["-xOf", "-", "first/etc/machine-id"], seed)
        == machine.uuidString.lowercased().replacing("-", with: ""))
  }

  @Test("Carries a root password only if there is one, and keys likewise")
  func optionalParts() async throws {
    let seed = try seed(key: nil, passwordHash: "$y$j9T$salt$hash")
    #expect(try await tar(["-xOf", "-", "root-password"], seed) == "$y$j9T$salt$hash")
    #expect(try await !tar(["-tf", "-"], seed).contains("authorized_keys"))
  }

  @Test("Names a name server only where the guest has a way to it, or each look-up would wait for an answer")
  func nameServer() async throws {
    let names = "HOSTNAME=web\nFQDN=web.example.com"
    let addresses = "ADDRESS4=10.0.2.15/24\nGATEWAY4=10.0.2.2"
    #expect(try await tar(["-xOf", "-", "settings"], seed()) == "\(names)\n\(addresses)")
    #expect(
      try await tar(["-xOf", "-", "settings"], seed(allowsOutbound: true))
        == "\(names)\n\(addresses)\nDNS=\"10.0.2.3\"")
  }

  @Test("Has a new revision for a new hostname, and for nothing else: older images overwrite files for it")
  func revision() throws {
    let revision = try seed().revision
    #expect(try seed(key: nil, passwordHash: "x", memoryMiB: 1024, allowsOutbound: true).revision == revision)
    #expect(try seed(hostname: "web.example.org").revision != revision)
    #expect(revision == "c4e7ca37fe79c627")
  }

  @Test("Fills whole sectors of a disk")
  func sectors() throws {
    #expect(try seed().archive.count % 512 == 0)
  }
}

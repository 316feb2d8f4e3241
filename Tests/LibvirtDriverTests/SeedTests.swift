import Core
import Foundation
import HostNetwork
import TestSupport
import Testing

@testable import LibvirtDriver

@Suite("The seed of a guest")
struct SeedTests {
  private let machine = UUID()
  private static let closed = GuestNetwork(ipv4Address: "10.0.2.15/24", ipv4Gateway: "10.0.2.2")
  private static let open = GuestNetwork(
    ipv4Address: "10.0.2.15/24", ipv4Gateway: "10.0.2.2", nameServers: ["10.0.2.3"])

  private func seed(
    hostname: String = "web.example.com", key: String? = "ssh-ed25519 AAAA me", passwordHash: String? = nil,
    memoryMiB: Int = 512, network: GuestNetwork = Self.closed, userData: String? = nil,
    rescue: RescueSpecification? = nil
  ) throws -> Seed {
    Seed(
      specification: MachineSpecification(
        machine: machine, label: "server-1", hostname: try #require(Hostname(hostname)), vcpus: 1,
        memoryMiB: memoryMiB, storageGiB: 4, imageName: "debian-12", imageVersion: "1",
        interface: NetworkInterface(address: IPv4Address(number: 0x7F50_000B)), authorizedKey: key,
        rootPasswordHash: passwordHash,
        mayCreateDisk: true, userData: userData),
      network: network, rescue: rescue)
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
    expectEqual(try await tar(["-xOf", "-", "boot/etc/hostname"], seed), "web")
    #expect(try await tar(["-xOf", "-", "boot/etc/hosts"], seed).contains("127.0.1.1 web.example.com web\n"))
    #expect(
      try await tar(["-xOf", "-", "boot/etc/vpsd/network"], seed)
        == "ADDRESS4=10.0.2.15/24\nGATEWAY4=10.0.2.2\nDNS=\"10.0.2.3\"")
    expectEqual(try await tar(["-xOf", "-", "first/root/.ssh/authorized_keys"], seed), "ssh-ed25519 AAAA me")
    #expect(
      try await tar(["-xOf", "-", "first/etc/machine-id"], seed)
        == machine.uuidString.lowercased().replacing("-", with: ""))
  }

  @Test("Carries a root password only if there is one, and keys likewise")
  func optionalParts() async throws {
    let seed = try seed(key: nil, passwordHash: "$y$j9T$salt$hash")
    expectEqual(try await tar(["-xOf", "-", "root-password"], seed), "$y$j9T$salt$hash")
    #expect(try await !tar(["-tf", "-"], seed).contains("authorized_keys"))
  }

  @Test("Carries user data to the byte, for its owner only, and says which disk it is for")
  func userData() async throws {
    let text = "#!/bin/sh\necho 'one two'\n# é"
    let seed = try seed(userData: text)
    expectEqual(try await tar(["-xOf", "-", "user-data"], seed), text)
    #expect(try await tar(["-xOf", "-", "meta-data"], seed).hasPrefix("instance-id: vpsd-"))
    #expect(
      try await tar(["-tvf", "-"], seed).split(separator: "\n").contains {
        $0.hasPrefix("-rw-------") && $0.hasSuffix("user-data")
      })
    #expect(try await !tar(["-tf", "-"], try self.seed()).contains("user-data"))
  }

  @Test("That of a rescue system has its own keys, name and password, and nothing of the server's")
  func rescue() async throws {
    let system = RescueSpecification(
      imageName: "debian-12", imageVersion: "1", storageGiB: 4, authorizedKey: nil, rootPasswordHash: "$6$x$rescue",
      mayCreateDisk: true)
    let seed = try seed(passwordHash: "$6$x$own", userData: "#!/bin/sh", rescue: system)
    expectEqual(try await tar(["-xOf", "-", "root-password"], seed), "$6$x$rescue")
    let files = try await tar(["-tf", "-"], seed)
    #expect(!files.contains("authorized_keys") && !files.contains("user-data"))
    #expect(try await tar(["-xOf", "-", "settings"], seed).contains("HOSTNAME=rescue\n"))
    #expect(try await tar(["-xOf", "-", "first/etc/motd"], seed).contains("/dev/vdc"))
  }

  @Test("Names a name server only where the guest has a way to it, or each look-up would wait for an answer")
  func nameServer() async throws {
    let names = "HOSTNAME=web\nFQDN=web.example.com"
    let addresses = "ADDRESS4=10.0.2.15/24\nGATEWAY4=10.0.2.2"
    expectEqual(try await tar(["-xOf", "-", "settings"], seed()), "\(names)\n\(addresses)")
    #expect(
      try await tar(["-xOf", "-", "settings"], seed(network: Self.open))
        == "\(names)\n\(addresses)\nDNS=\"10.0.2.3\"")
  }

  @Test("Has a new revision for a new hostname, and for nothing else: older images overwrite files for it")
  func revision() throws {
    let revision = try seed().revision
    #expect(try seed(key: nil, passwordHash: "x", memoryMiB: 1024, network: Self.open).revision == revision)
    #expect(try seed(hostname: "web.example.org").revision != revision)
    #expect(revision == "c4e7ca37fe79c627")
  }

  @Test("Fills whole sectors of a disk")
  func sectors() throws {
    #expect(try seed().archive.count % 512 == 0)
  }

  @Test("Tells the addresses, gateways and name servers of both families, where there are any")
  func bothFamilies() async throws {
    let network = GuestNetwork(
      ipv4Address: "203.0.113.5/32", ipv4Gateway: "169.254.1.1", ipv6Address: "2001:db8:10:1::1/64",
      ipv6Gateway: "fe80::1", nameServers: ["192.0.2.53", "2001:db8::53"])
    #expect(
      try await tar(["-xOf", "-", "settings"], seed(network: network)) == """
        HOSTNAME=web
        FQDN=web.example.com
        ADDRESS4=203.0.113.5/32
        GATEWAY4=169.254.1.1
        ADDRESS6=2001:db8:10:1::1/64
        GATEWAY6=fe80::1
        DNS="192.0.2.53 2001:db8::53"
        """)
    var more = network
    more.furtherAddresses = ["203.0.113.6/32", "2001:db8:10:2::1/64"]
    more.revision = 3
    // An image that knows of one address of each family takes those two as before.
    #expect(
      try await tar(["-xOf", "-", "settings"], seed(network: more))
        == tar(["-xOf", "-", "settings"], seed(network: network))
        + "\nADDRESSES=\"203.0.113.6/32 2001:db8:10:2::1/64\"\nREVISION=3")
    expectEqual(try await tar(["-xOf", "-", "settings"], seed(network: .init())), "HOSTNAME=web\nFQDN=web.example.com")
  }
}

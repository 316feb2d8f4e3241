import Core
import Foundation
import ReverseDNS
import Testing

@testable import vpsd

/// Each finding, from facts as they might be seen.
@Suite("What a doctor makes of what is seen")
struct DiagnosisTests {
  private static let healthy = {
    var facts = HostFacts(
      configuration: Configuration(
        workingDirectory: URL(fileURLWithPath: "/srv/work", isDirectory: true),
        executable: URL(fileURLWithPath: "/usr/bin/vpsd")))
    facts.configuration.stateBackups.directory = URL(fileURLWithPath: "/srv/backups", isDirectory: true)
    facts.stateBackupAge = .minutes(2 * 1440)
    return facts
  }()

  private static let ill: [(Finding.Severity, Finding.Area, String, @Sendable (inout HostFacts) -> Void)] = [
    (.warning, .accelerator, "no /dev/kvm", { $0.processor.device = .missing }),
    (.warning, .accelerator, "cannot be opened", { $0.processor.device = .closed }),
    (.warning, .accelerator, "shows no virtualisation", { $0.processor = .init(isCapable: false, device: .missing) }),
    (
      .error, .accelerator, "no /dev/kvm",
      {
        $0.configuration.accelerator = .kvm
        $0.processor.device = .missing
      }
    ),
    (.error, .programs, "qemu-img", { $0.missingPrograms = [("qemu-img", "qemu-utils", true)] }),
    (.warning, .programs, "slirp4netns", { $0.missingPrograms = [("slirp4netns", "slirp4netns", false)] }),
    (.error, .libvirt, "does not answer", { $0.silentHosts = [("local", "nobody listens")] }),
    (
      .error, .incus, "eu-1/1 does not answer",
      {
        $0.configuration.locations["eu-1"] = LocationSettings(driver: .incus)
        $0.silentHosts = [("eu-1/1", "nobody listens")]
      }
    ),
    (.error, .incus, "no storage pool", { $0.incusFaults = [("eu-1/1", "there is no storage pool fast")] }),
    (.error, .libvirt, "not root", { $0.isRoot = false }),
    (.warning, .libvirt, "cannot have a user", { $0.emulatorObstacle = "others may not enter /srv" }),
    (
      .error, .libvirt, "cannot have a user",
      {
        useHostLibvirtd(&$0)
        $0.emulatorObstacle = "others may not enter /srv"
      }
    ),
    (.error, .libvirt, "its machine is off", { $0.differences = ["server 1 is active, and its machine is off"] }),
    (
      .warning, .images, "Arch", { $0.images = [.init(system: "Arch", name: "arch", isThere: false, isFetched: false)] }
    ),
    (.error, .disk, "512 MiB", { $0.folders = [folder(freeBytes: 512 << 20)] }),
    (.warning, .disk, "MiB of", { $0.folders = [folder(freeBytes: 5 << 30)] }),
    (.warning, .disk, "few more files", { $0.folders = [folder(freeFilesPermille: 49)] }),
    (.warning, .disk, "takes 51 ms", { $0.folders = [folder(syncMilliseconds: 51)] }),
    (.error, .memory, "511 MiB", { $0.memory = .init(totalMiB: 4096, availableMiB: 511, swapMiB: 0, reservedMiB: 0) }),
    (
      .warning, .memory, "were promised",
      { $0.memory = .init(totalMiB: 4096, availableMiB: 4000, swapMiB: 100, reservedMiB: 4197) }
    ),
    (.error, .pools, "0 of 14", { $0.pools = [.init(text: "192.0.2.0/28", size: 14, taken: 14)] }),
    (.warning, .pools, "1 of 30", { $0.pools = [.init(text: "192.0.2.0/27", size: 30, taken: 29)] }),
    (
      .error, .ports, "in use",
      {
        $0.listeners = [
          .init(key: "listen", address: ListenAddress(host: "127.0.0.1", port: 80), obstacle: "Address already in use")
        ]
      }
    ),
    (
      .error, .ports, "nobody listens",
      {
        $0.isServed = true
        $0.answers = false
      }
    ),
    (.warning, .ports, "port 22 of servers is at port 2222", { $0.shiftedPorts = [22: 2222] }),
    (
      .error, .network, "filter",
      {
        route(&$0)
        $0.networkProblems = ["the packet filter of servers is not loaded"]
      }
    ),
    (
      .error, .network, "forwards no packets",
      {
        route(&$0)
        $0.forwardsPackets = false
      }
    ),
    (.error, .rdns, "others can read it", { $0.namingFault = "rdns.key_file: others can read it" }),
    (.error, .rdns, "does not answer: timed out", { $0.nameTroubles = [names(.silent(reason: "timed out"))] }),
    (.error, .rdns, "does not accept the key in /srv/key", { $0.nameTroubles = [names(.keyIsRefused)] }),
    (
      .error, .rdns, "no zone for 10.113.0.203.in-addr.arpa, nor for 1 more",
      { $0.nameTroubles = [names(.homeless(["203.0.113.10", "203.0.113.11"].compactMap { IPAddress($0) }))] }
    ),
    (
      .warning, .rdns, "7 name(s) of addresses at us-west are refused: REFUSED",
      { $0.refusedNames = [.init(location: "us-west", count: 7, reason: "REFUSED")] }
    ),
    (.warning, .clock, "keeps the clock right", { $0.isClockSynchronised = false }),
    (.error, .clock, "far from when hours", { $0.isBillingClockDoubted = true }),
    (.error, .permissions, "Others may write", { $0.unsafeDirectory = "Others may write in the data directory" }),
    (.error, .permissions, "secret.key", { $0.privateFiles = [.init(path: "/srv/secret.key", permissions: 0o640)] }),
    (.warning, .database, "no database", { $0.database = .missing("There is no database at /srv") }),
    (.error, .database, "cannot be used", { $0.database = .unusable("/srv/vpsd.sqlite cannot be used") }),
    (.error, .database, "balance", { $0.database = .open(contradictions: ["an account's balance: [1]"], logBytes: 0) }),
    (.warning, .database, "2048 MiB", { $0.database = .open(contradictions: [], logBytes: 2 << 30) }),
    (.error, .database, "another key", { $0.keyFault = "it is another key than that of this state" }),
    (.warning, .backups, "copied nowhere", { $0.configuration.stateBackups.directory = nil }),
    (.warning, .backups, "no copy of the state", { $0.stateBackupAge = HostFacts.StateBackupAge.none }),
    (
      .warning, .backups, "2 days old",
      {
        $0.configuration.stateBackups.everyMinutes = 23 * 60 + 59
      }
    ),
    (.warning, .backups, "3 days old", { $0.stateBackupAge = .minutes(3 * 1440) }),
    (.warning, .orphans, "belongs to no server", { $0.orphans = [.machine(UUID(), host: "local")] }),
    (.warning, .orphans, "no backup and no", { $0.orphans = [.copy(UUID(), ofMachine: UUID(), host: "local")] }),
    (.warning, .orphans, "the link vpsd0000000001", { $0.orphans = [.tap("vpsd0000000001")] }),
    (.warning, .orphans, "network namespace", { $0.orphans = [.namespace("/srv/outbound/namespace")] }),
  ]

  private static func folder(
    freeBytes: Int64 = 90 << 30, freeFilesPermille: Int? = 900, syncMilliseconds: Int? = 5
  ) -> HostFacts.Folder {
    HostFacts.Folder(
      key: "data_dir", path: "/srv", freeBytes: freeBytes, totalBytes: 100 << 30, freeFilesPermille: freeFilesPermille,
      syncMilliseconds: syncMilliseconds)
  }

  private static func names(_ kind: HostFacts.NameTrouble.Kind) -> HostFacts.NameTrouble {
    HostFacts.NameTrouble(
      locations: ["us-west"], server: NameServerAddress("192.0.2.53")!, keyFile: "/srv/key",
      address: IPAddress("203.0.113.10")!, kind: kind)
  }

  private static func useHostLibvirtd(_ facts: inout HostFacts) {
    let value = ConfigurationValue(texts: ["host"], isList: false, baseDirectory: URL(fileURLWithPath: "/"))
    _ = ConfigurationKey.all.first { $0.name == "libvirtd" }?.apply(value, &facts.configuration)
  }

  private static func route(_ facts: inout HostFacts) {
    facts.configuration.network = .routed
    facts.isServed = true
  }

  @Test("A host on which all is well has no finding")
  func health() {
    var facts = Self.healthy
    facts.folders = [Self.folder()]
    facts.memory = .init(totalMiB: 4096, availableMiB: 2048, swapMiB: 0, reservedMiB: 3000)
    facts.pools = [.init(text: "192.0.2.0/24", size: 254, taken: 10)]
    facts.listeners = [.init(key: "listen", address: ListenAddress(host: "127.0.0.1", port: 80), obstacle: nil)]
    facts.images = [
      .init(system: "Debian", name: "debian-12", isThere: true, isFetched: false),
      .init(system: "Ubuntu", name: "ubuntu", isThere: false, isFetched: true),
    ]
    facts.privateFiles = [.init(path: "/srv/secret.key", permissions: 0o600)]
    facts.isClockSynchronised = true
    #expect(Diagnosis.findings(facts) == [])
  }

  @Test(
    "Each fact that is not as it should be is one finding, with what it means and what mends it",
    arguments: 0..<Self.ill.count)
  func findings(_ index: Int) throws {
    let (severity, area, words, change) = Self.ill[index]
    var facts = Self.healthy
    change(&facts)
    let findings = Diagnosis.findings(facts)
    try #require(findings.count == 1, "\(findings)")
    #expect(findings[0].severity == severity && findings[0].area == area && findings[0].text.contains(words))
    #expect(!findings[0].meaning.isEmpty && !findings[0].remedy.isEmpty)
  }

  @Test("Every area that there is has a finding here")
  func areas() {
    #expect(Set(Self.ill.map(\.1)) == Set(Finding.Area.allCases))
  }
}

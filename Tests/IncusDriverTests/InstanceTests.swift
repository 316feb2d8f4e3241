import Core
import Foundation
import TestSupport
import Testing

@testable import IncusDriver

@Suite("What an instance is, and is to be")
struct InstanceTests {
  private static let installation = UUID()
  private static let configuration = IncusDriver.Configuration(installation: installation)

  private static func instance(_ statusCode: Int, _ config: [String: String], isDefined: Bool = true) -> Instance {
    Instance(
      name: "vps-x", statusCode: statusCode, location: "m1",
      config: config.merging(isDefined ? ["user.vpsd.defined": "true"] : [:]) { $1 }, devices: [:])
  }

  @Test("The power of one follows from its status, from the last state that was written, and from what we did to it")
  func power() {
    func off(_ marked: String?, _ last: String?) -> MachinePower {
      let config = ["user.vpsd.power": marked, "volatile.last_state.power": last].compactMapValues { $0 }
      return Self.instance(102, config).power
    }
    #expect(off(nil, nil) == .off(.other))
    #expect(off("on", "STOPPED") == .off(.guestShutdown))
    // The host lost its power, or what watches the container was killed.
    #expect(off("on", "RUNNING") == .off(.other))
    #expect(off("cut", "STOPPED") == .off(.other))
    #expect(off("cut", "RUNNING") == .off(.other))
    let others: [(Int, MachinePower)] = [
      (103, .running), (106, .running), (107, .running), (113, .running), (110, .paused), (112, .unreachable),
      (199, .unknown),
    ]
    for (code, power) in others { #expect(Self.instance(code, ["user.vpsd.power": "on"]).power == power) }
    #expect(Self.instance(103, [:], isDefined: false).power == .remnant)
  }

  @Test("How one ended that is off is waited for, for so long as it may not have been written down")
  func endings() async throws {
    let clock = ManualClock()
    let endings = Endings(clock: clock)
    let (first, second) = (UUID(), UUID())
    let ended = Self.instance(102, ["user.vpsd.power": "on", "volatile.last_state.power": "RUNNING"])
    #expect(endings.isFresh(first, ended))
    clock.advance(by: Endings.limit - .milliseconds(1))
    #expect(endings.isFresh(first, ended) && endings.isFresh(second, ended))
    clock.advance(by: .milliseconds(1))
    #expect(!endings.isFresh(first, ended) && endings.isFresh(second, ended))
    for (power, last, code) in [("on", "STOPPED", 102), ("cut", "RUNNING", 102), ("on", "RUNNING", 103)] {
      let config = ["user.vpsd.power": power, "volatile.last_state.power": last]
      #expect(!endings.isFresh(UUID(), Self.instance(code, config)))
    }
    endings.keep([second])
    #expect(endings.isFresh(first, ended))
  }

  static func specification(_ machine: UUID, storageGiB: Int = 4, mayCreateDisk: Bool = true) throws
    -> MachineSpecification
  {
    MachineSpecification(
      machine: machine, label: "server-1", hostname: try #require(Hostname("web.example.com")), vcpus: 2,
      memoryMiB: 512, storageGiB: storageGiB, imageName: "debian-12", imageVersion: "1",
      interface: NetworkInterface(address: try #require(IPv4Address("127.90.0.1"))), authorizedKey: "ssh-ed25519 A",
      rootPasswordHash: nil, mayCreateDisk: mayCreateDisk)
  }

  @Test(
    "A definition holds a container to its plan, keeps it from its host, and leads some ports of its address into it")
  func definition() throws {
    let machine = UUID()
    let definition = InstanceDefinition(try Self.specification(machine), Self.configuration)
    let expected = [
      "limits.cpu": "2", "limits.cpu.allowance": "200%", "limits.memory": "512MiB", "security.privileged": "false",
      "security.nesting": "false", "security.idmap.isolated": "true", "boot.autostart": "false",
      "user.vpsd.installation": Self.installation.text, "user.vpsd.machine": machine.text,
      "user.vpsd.hostname": "web", "user.vpsd.fqdn": "web.example.com", "user.vpsd.key": "ssh-ed25519 A",
    ]
    for (key, value) in expected { #expect(definition.config[key] == value, "\(key)") }
    #expect(
      definition.devices == [
        "root": ["type": "disk", "path": "/", "pool": "default", "size": "4GiB"],
        "in-127-90-0-1": [
          "type": "proxy", "bind": "host", "listen": "tcp:127.90.0.1:22,80,443", "connect": "tcp:127.0.0.1:22,80,443",
        ],
      ])
    let creation = String(decoding: try definition.creation(fingerprint: "f00").bytes, as: UTF8.self)
    #expect(creation.contains(#""source":{"fingerprint":"f00","type":"image"}"#))
    #expect(!creation.contains("password-hash"))
  }

  @Test("An address that was taken away leads nowhere, and all else is repeated")
  func fewerAddresses() throws {
    let machine = UUID()
    let definition = InstanceDefinition(try Self.specification(machine), Self.configuration)
    let further = ["type": "proxy", "listen": "tcp:127.90.0.9:22"]
    let present = Instance(
      name: definition.name, statusCode: 103, location: "m1",
      config: definition.config.merging(["volatile.uuid": "u"]) { $1 }.filter { !$0.value.isEmpty },
      devices: definition.devices.merging(["in-127-90-0-9": further, "mine": ["type": "none"]]) { $1 },
      architecture: "x86_64", profiles: ["p"])
    guard case .whole(let body) = definition.change(of: present) else { throw IncusError.notFound }
    let text = String(decoding: try body.bytes, as: UTF8.self)
    #expect(text.contains(#""architecture":"x86_64""#) && text.contains(#""profiles":["p"]"#))
    #expect(text.contains(#""volatile.uuid":"u""#) && text.contains(#""mine":{"type":"none"}"#))
    #expect(!text.contains("127.90.0.9") && !text.contains("127-90-0-9") && text.contains("in-127-90-0-1"))
  }

  @Test("Only what is another is changed, and a disk never becomes smaller")
  func change() throws {
    let machine = UUID()
    let definition = InstanceDefinition(try Self.specification(machine, storageGiB: 4), Self.configuration)
    let same = Instance(
      name: definition.name, statusCode: 102, location: "m1",
      config: definition.config.filter { !$0.value.isEmpty }, devices: definition.devices)
    #expect(definition.change(of: same) == nil)
    let smaller = InstanceDefinition(try Self.specification(machine, storageGiB: 3), Self.configuration)
    #expect(smaller.change(of: same) == nil)
    let larger = InstanceDefinition(try Self.specification(machine, storageGiB: 10), Self.configuration)
    let root = ["type": "disk", "path": "/", "pool": "default", "size": "10GiB"]
    #expect(
      larger.change(of: same)
        == .merged(JSONBody(["config": .texts([:]), "devices": .object(["root": .texts(root)])])))
    #expect(
      definition.change(of: same, settingAlso: ["user.vpsd.defined": "true"])
        == .merged(JSONBody(["config": .texts(["user.vpsd.defined": "true"]), "devices": .object([:])])))
  }
}

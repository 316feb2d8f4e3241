import Core
import Foundation
import HostNetwork
import Logging
import Synchronization
import TestSupport
import Testing

@testable import IncusDriver

/// What a container with a card is to Incus, and what is known of it before it is there.
@Suite("A container with a card of its own")
struct RoutedContainerTests {
  private static let machine = UUID()

  private static func specification(_ address: String = "203.0.113.5") throws -> MachineSpecification {
    MachineSpecification(
      machine: machine, label: "server-1", hostname: try #require(Hostname("web.example.com")), vcpus: 1,
      memoryMiB: 512, storageGiB: 4, imageName: "debian-12", imageVersion: "1",
      interface: NetworkInterface(
        address: try #require(IPv4Address(address)), ipv6Networks: [try #require(IPv6Network("2001:db8:10:5::/64"))],
        hardwareAddress: HardwareAddress("56:0a:1b:2c:3d:4e")),
      firewall: Firewall(isEnabled: true, rules: []), allowance: NetworkAllowance(mayMail: false, speedMbit: 100),
      authorizedKey: nil, rootPasswordHash: nil, mayCreateDisk: true)
  }

  private static func links(in folder: URL) throws -> ServerLinks {
    let settings = HostNetworkSettings(
      uplink: "", mtu: 1450, pools: [try #require(AddressPool("203.0.113.0/26"))],
      ipv6Pools: [try #require(IPv6Pool("2001:db8:10::/56"))], nameServers: [try #require(IPAddress("9.9.9.9"))])
    let logger = Logger(label: "links", factory: { _ in SwiftLogNoOpLogHandler() })
    return ServerLinks(
      reconciler: NetworkReconciler(
        settings: settings, installation: UUID(), stateDirectory: folder.path, logger: logger),
      root: folder.appendingPathComponent("containers").path, logger: logger)
  }

  private static func configuration(_ folder: URL) throws -> IncusDriver.Configuration {
    var configuration = IncusDriver.Configuration(installation: UUID())
    configuration.network = .routed(try links(in: folder))
    return configuration
  }

  @Test(
    "Its card is one of a pair, whose other end has the name that the packet filter goes by; its guest is told the rest"
  )
  func definition() async throws {
    try await withTemporaryFolder { folder in
      let configuration = try Self.configuration(folder)
      let definition = InstanceDefinition(try Self.specification(), configuration)
      #expect(
        definition.devices["eth0"] == [
          "type": "nic", "nictype": "p2p", "name": "eth0", "hwaddr": "56:0a:1b:2c:3d:4e",
          "host_name": "vpsd0a1b2c3d4e", "mtu": "1450",
        ])
      #expect(Set(definition.devices.keys) == ["eth0", "root"])
      #expect(
        definition.config["user.vpsd.network"]
          == "ADDRESS4=203.0.113.5/32\nGATEWAY4=169.254.1.1\nADDRESS6=2001:db8:10:5::1/64\nGATEWAY6=fe80::1\nDNS=\"9.9.9.9\""
      )
    }
  }

  @Test("A card is not exchanged while its guest runs, and goes where the container is to have none")
  func change() async throws {
    try await withTemporaryFolder { folder in
      let configuration = try Self.configuration(folder)
      let definition = InstanceDefinition(try Self.specification(), configuration)
      func present(_ statusCode: Int) -> Instance {
        var devices = definition.devices
        devices["eth0"]?["mtu"] = "1500"
        return Instance(
          name: definition.name, statusCode: statusCode, location: "m1",
          config: definition.config.filter { !$0.value.isEmpty }, devices: devices)
      }
      #expect(definition.change(of: present(103)) == nil)
      let card = try #require(definition.devices["eth0"])
      #expect(
        definition.change(of: present(102))
          == .merged(JSONBody(["config": .texts([:]), "devices": .object(["eth0": .texts(card)])])))
      let plain = IncusDriver.Configuration(installation: configuration.installation)
      guard case .whole(let body) = InstanceDefinition(try Self.specification(), plain).change(of: present(102)) else {
        throw IncusError.notFound
      }
      #expect(try !String(decoding: body.bytes, as: UTF8.self).contains("p2p"))
    }
  }

  @Test("What it may send is written down before there is a container; an image that sets up no card makes none")
  func order() async throws {
    for hasNetwork in [true, false] {
      try await withTemporaryFolder { folder in
        let file = folder.appendingPathComponent("containers/\(Self.machine.text)/network.json").path
        let wasThere = Mutex<Bool?>(nil)
        let script: ScriptedServer.Script = { request in
          switch (request.method, String(request.path.prefix { $0 != "?" })) {
          case ("POST", "/1.0/instances"):
            wasThere.withLock { $0 = access(file, R_OK) == 0 }
            return .operation("7")
          case ("GET", "/1.0/operations"): return .sync("{}")
          case ("GET", "/1.0/images"):
            return .sync(
              #"[{"fingerprint":"f00","size":1,"type":"container","aliases":[{"name":"debian-12/1"}],"properties":{"vpsd.network":"\#(hasNetwork)"}}]"#
            )
          case ("GET", let path) where path.hasPrefix("/1.0/operations/"): return .ended("7")
          default: return .error(404, "Instance not found")
          }
        }
        try await ScriptedServer.with(script) { server, endpoint in
          let driver = IncusDriver(try Self.configuration(folder), at: [endpoint])
          #expect(driver.enforcesFirewalls)
          // Here nothing comes of a create.
          await #expect(throws: DriverError.self) { try await driver.ensureDefined(try Self.specification()) }
          #expect(wasThere.withLock { $0 } == (hasNetwork ? true : nil))
          let known = try #require(try driver.links?.stored()[Self.machine])
          #expect(known.link == .pair && known.firewall.isEnabled && known.speedMbit == 100)
          #expect(known.tap == "vpsd0a1b2c3d4e")
        }
      }
    }
  }

  @Test("One that was made at the loopback is refused, and nothing is asked for")
  func loopback() async throws {
    try await withTemporaryFolder { folder in
      try await ScriptedServer.with({ _ in .sync("[]") }) { server, endpoint in
        let driver = IncusDriver(try Self.configuration(folder), at: [endpoint])
        do {
          try await driver.ensureDefined(try Self.specification("127.90.0.5"))
          Issue.record("it was made")
        } catch let error as DriverError {
          #expect(error.kind == .rejected && error.detail.contains("127.90.0.5"))
        }
        #expect(server.requests.isEmpty)
      }
    }
  }

  @Test("The links are on the member whose socket it is: another one of its cluster is a fault")
  func otherMember() async throws {
    let server =
      #"{"auth":"trusted","api_extensions":["clustering","image_create_aliases","container_nic_routed","cloud_init"],"#
      + #""environment":{"server_clustered":true,"server_name":"m1"}}"#
    let script: ScriptedServer.Script = { request in
      switch request.path.prefix(while: { $0 != "?" }) {
      case "/1.0": .sync(server)
      case let path where path.hasPrefix("/1.0/storage-pools"): .sync(#"{"driver":"btrfs"}"#)
      case let path where path.hasPrefix("/1.0/projects"): .sync(#"{"name":"default"}"#)
      default: .sync(#"{"server_name":"m1"}"#)
      }
    }
    for (member, fault) in [("m1", nil), ("m2", "the member m1")] {
      try await withTemporaryFolder { folder in
        try await ScriptedServer.with(script) { _, endpoint in
          var configuration = try Self.configuration(folder)
          configuration.member = member
          let faults = try await IncusDriver(configuration, at: [endpoint]).faults()
          #expect(faults.isEmpty == (fault == nil) && faults.allSatisfy { $0.contains(fault ?? "") }, "\(faults)")
        }
      }
    }
  }
}

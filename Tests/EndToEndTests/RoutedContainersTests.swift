import APIClient
import Foundation
import TestSupport
import Testing

/// Containers of a real Incus on a host with an uplink: Tests/Hosts/network --incus.
@Suite(
  "Containers with addresses of their own", .serialized,
  .enabled(if: ProcessInfo.processInfo.environment["VPSD_TEST_INCUS"] != nil && !world.isEmpty))
struct RoutedContainersTests {
  static let folder = ProcessInfo.processInfo.environment["VPSD_TEST_INCUS"] ?? ""
  static let settings = ["VPSD_DRIVER": "simulated", "VPSD_OVERCOMMIT_STORAGE": "100"]
  static let file = """
    driver: simulated
    locations:
      us-west:
        driver: incus
        instance_type: container
        network: routed
        address_pool: 203.0.113.0/26
        address_pool6: 2001:db8:10::/56
        socket: \(folder)/unix.socket

    """

  /// What holds for machines of this host, held against the root of a container.
  private let machines = RoutedServersTests()

  @Test(
    "They are reached from the world over both families and reach it; what root in one forges reaches nobody; firewalls hold; all of it outlives whatever dies; nothing is left"
  )
  func life() async throws {
    try await Service.with(Self.settings, file: Self.file) { service in
      let client = try service.client()
      let login = try Login(in: service.directory)
      let key = try await client.createSSHKey(.init(name: "test", publicKey: login.publicKey))
      let a = try await RoutedServersTests.create("a", key.id, client)
      let b = try await RoutedServersTests.create("b", key.id, client)
      let first = try await RoutedServer(a, client)
      let second = try await RoutedServer(b, client)
      for (server, name) in [(first, "a"), (second, "b")] {
        for address in [server.address, server.address6] {
          expectEqual(try login.run("hostname", onWorld: address), name)
        }
      }
      try machines.reachTheWorld(login, first)
      try machines.forge(login, first, second, in: service.directory)
      try await machines.holdToFirewalls(client, login, first, second)
      try await isHeldToItsSpeed(service, first)
      try isCounted(service, login, first)
      let more = try await machines.addAddresses(service, login, first)
      try await outlive(service, login, first)
      try await machines.keepAddresses(more, service, login, first)
      #expect(try service.checked().output.hasSuffix("2 server(s): the records agree, and so do the machines."))
      try await leavesNothing([first, second], service)
    }
  }

  private func leavesNothing(_ servers: [RoutedServer], _ service: Service) async throws {
    let client = try service.client()
    for server in servers { try await client.deleteServer(server.id) }
    for server in servers {
      _ = try await eventually("nothing of the server is left", withinSeconds: 180) {
        let all = try RoutedServersTests.hostNetwork()
        return all.contains(server.address) || all.contains(server.network6 ?? server.address6) ? nil : true
      }
    }
    expectEqual(try Command.output("/usr/bin/incus", ["list", "--format", "json"]), "[]")
    expectEqual(try Command.output("/bin/ls", [service.data + "/containers/us-west"]), "")
    _ = try service.operate(["shutdown"])
    _ = try service.operate(["network", "off"])
    let left = try RoutedServersTests.hostNetwork()
    #expect(!left.contains("vpsd") && !left.contains("203.0.113"), "\(left)")
  }

  /// Its own reboot, one by the API, the service's end, whoever takes the packet filter or the link away.
  private func outlive(_ service: Service, _ login: Login, _ server: RoutedServer) async throws {
    _ = try await service.client().perform("reboot", on: server.id)
    _ = try await active(server.id, service.client())
    expectEqual(try login.run("hostname", onWorld: server.address), "a")
    try await rebootsItself(login, server)
    for address in [server.address, server.address6] {
      _ = try await eventually("a login after its own reboot", withinSeconds: 180) {
        try login.isLetIn(address) ? true : nil
      }
    }
    try service.kill()
    _ = try Command.output("/usr/bin/env", ["nft", "flush", "ruleset"])
    try await service.start()
    _ = try await eventually("the packet filter is there again", withinSeconds: 180) {
      try RoutedServersTests.hostNetwork().contains("goto") ? true : nil
    }
    expectEqual(try login.run("hostname", onWorld: server.address6), "a")
    // While nobody keeps its link, one that comes anew passes nothing.
    try service.kill()
    try await rebootsItself(login, server)
    #expect(try !login.isLetIn(server.address) && !login.isLetIn(server.address6))
    try await service.start()
    _ = try await eventually("a login with the service", withinSeconds: 180) {
      try login.isLetIn(server.address) && login.isLetIn(server.address6) ? true : nil
    }
  }

  /// Until its link is another one.
  private func rebootsItself(_ login: Login, _ server: RoutedServer) async throws {
    func index() throws -> String? {
      let links = try Command.output("/usr/bin/env", ["ip", "-oneline", "link"])
      let name = "vpsd" + server.cardName
      return links.split(separator: "\n").first { $0.contains(name) }.map { String($0.prefix { $0 != ":" }) }
    }
    let before = try #require(try index())
    _ = try? login.run("systemctl reboot", onWorld: server.address)
    _ = try await eventually("another link", withinSeconds: 180) {
      let now = try index()
      return now == nil || now == before ? nil : true
    }
  }

  /// Of its plan, from the moment at which that is changed.
  private func isHeldToItsSpeed(_ service: Service, _ server: RoutedServer) async throws {
    func limits() throws -> Bool {
      try ["in", "out"].allSatisfy { way in
        try Command.output("/usr/bin/env", ["nft", "list", "map", "inet", "vpsd", "speed_\(way)"])
          .contains("\"vpsd\(server.cardName)\"")
      }
    }
    #expect(try !limits())
    _ = try service.operate(["plan", "update", "3", "--port-speed", "50"])
    _ = try await eventually("a limit", withinSeconds: 180) { try limits() ? true : nil }
    _ = try service.operate(["plan", "update", "3", "--port-speed", "0"])
    _ = try await eventually("no limit", withinSeconds: 180) { try limits() ? nil : true }
  }

  /// What the host counts is what was sent, whatever the guest says.
  private func isCounted(_ service: Service, _ login: Login, _ server: RoutedServer) throws {
    func received() throws -> Int {
      let lines = try service.operate(["network", "status", "--json"]).split(separator: "\n")
      let line = try #require(lines.first { $0.contains(server.uuid) })
      let json = try #require(try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any])
      return try #require(json["received_bytes"] as? Int)
    }
    let before = try received()
    let file = service.directory.appendingPathComponent("megabytes").path
    try Data(count: 4_000_000).write(to: URL(fileURLWithPath: file))
    _ = try login.run("cat >/dev/null", onWorld: server.address, input: file)
    let grown = try received() - before
    #expect(grown > 4_000_000 && grown < 5_000_000, "\(grown)")
  }
}

extension RoutedServer {
  /// The part of its link's name after `vpsd`.
  fileprivate var cardName: String {
    let route = try? Command.output("/usr/bin/incus", ["config", "device", "get", "vps-\(uuid)", "eth0", "host_name"])
    return String((route ?? "").dropFirst("vpsd".count))
  }
}

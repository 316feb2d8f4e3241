import APIClient
import Foundation
import TestSupport
import Testing

/// On a host that Tests/Hosts/network makes, with the bridge of Tests/Hosts/bridge: the world is the router of the link.
@Suite("Servers on a bridge of the operator's", .serialized)
struct BridgedServersTests {
  private static let isEnabled = !world.isEmpty && ProcessInfo.processInfo.environment["VPSD_LONG_TESTS"] != nil
  private static let settings = [
    "VPSD_NETWORK": "bridge", "VPSD_BRIDGE": "br0", "VPSD_BRIDGE_GATEWAYS": "203.0.113.1,2001:db8:10::1",
    "VPSD_ADDRESS_POOL": "203.0.113.0/26", "VPSD_RESERVED_ADDRESSES": "203.0.113.1",
    "VPSD_ADDRESS_POOL6": "2001:db8:10:0:8000::/65",
  ]
  private static let hosts = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .appendingPathComponent("Hosts").path

  @Test(
    "A server is reached from the world over both families and reaches it; its firewall holds; it outlives whatever dies; nothing is left",
    .enabled(if: isEnabled, "make test-long, in Tests/Hosts/network"))
  func life() async throws {
    _ = try Command.output("\(Self.hosts)/bridge", ["up", world])
    defer { _ = try? Command.output("\(Self.hosts)/bridge", ["down", world]) }
    try await Service.with(Self.settings) { service in
      let client = try service.client()
      let login = try Login(in: service.directory)
      let key = try await client.createSSHKey(.init(name: "test", publicKey: login.publicKey))
      let began = ContinuousClock.now
      let id = try await client.createServer(
        .init(name: "a", planId: 3, osId: 3, location: "us-west", sshKeyId: key.id)
      ).id
      let server = try await RoutedServer(id, client)
      for address in [server.address, server.address6] {
        #expect(try login.run("hostname", onWorld: address) == "a", "\(address)")
      }
      print(
        "a server on a bridge from POST to logins from the world over both families: \(ContinuousClock.now - began)")
      let routes = try login.run("ip route; ip -6 route", onWorld: server.address)
      for gateway in ["default via 203.0.113.1 ", "default via 2001:db8:10::1 "] { #expect(routes.contains(gateway)) }

      try reachTheWorld(login, server)
      try await holdToFirewall(client, login, server)
      _ = try await client.perform("reboot", on: server.id)
      _ = try await active(server.id, client)
      expectEqual(try login.run("hostname", onWorld: server.address6), "a")
      for daemon in processes(containing: "\(service.data)/libvirt/pid") { kill(daemon, SIGKILL) }
      try service.kill()
      _ = try Command.output("/usr/bin/env", ["nft", "flush", "ruleset"])
      try await service.start()
      for address in [server.address, server.address6] { expectEqual(try login.run("hostname", onWorld: address), "a") }
      #expect(try Self.hostNetwork("nft list counters").contains(/vpsd[0-9a-f]{10}/), "control")
      let status = try service.operate(["network", "status"])
      #expect(status.contains(server.address) && !status.contains("not as it should be"), "\(status)")

      try await service.client().deleteServer(server.id)
      _ = try await eventually("nothing of the server is left", withinSeconds: 180) {
        try Self.hostNetwork("nft list counters").contains(/vpsd[0-9a-f]{10}/) ? nil : true
      }
      _ = try service.operate(["shutdown"])
      _ = try service.operate(["network", "off"])
      let left = try Self.hostNetwork("nft list ruleset")
      #expect(!left.contains("vpsd"), "\(left)")
    }
  }

  private func reachTheWorld(_ login: Login, _ server: RoutedServer) throws {
    let addresses = ["192.0.2.80", "2001:db8:eeee::80"]
    let programs = try addresses.map {
      try TestProgram(["/usr/bin/nsenter", "--net=\(world)", "\(Self.hosts)/traffic", "serve", $0, "8000"])
    }
    defer { for program in programs { program.end() } }
    for address in addresses {
      let command = "exec 3<>/dev/tcp/\(address)/8000 && echo hello >&3 && read -t 40 line <&3 && echo $line"
      expectEqual(try login.run("bash -c '\(command)'", onWorld: server.address), "hello")
    }
  }

  private func holdToFirewall(_ client: APIClient, _ login: Login, _ server: RoutedServer) async throws {
    for isEnabled in [true, false] {
      let json = #"{"enabled":\#(isEnabled),"rules":[]}"#
      let reply = try await client.send("PUT", "/servers/\(server.id)/firewall/", json: Data(json.utf8))
      #expect(reply.status == 200, "\(reply.text)")
      _ = try await eventually("the firewall is in force", withinSeconds: 180) {
        try await client.send("GET", "/servers/\(server.id)/firewall/").text.contains(#""enforced":true"#) ? true : nil
      }
      for address in [server.address, server.address6] {
        #expect(try login.isLetIn(address, withinSeconds: isEnabled ? 10 : 60) != isEnabled)
      }
    }
  }

  private static func hostNetwork(_ filter: String) throws -> String {
    try Command.output("/bin/sh", ["-c", "\(filter); ip link; bridge fdb"])
  }
}

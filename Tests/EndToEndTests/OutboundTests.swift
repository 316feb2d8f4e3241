import APIClient
import Foundation
import TestSupport
import Testing

/// On a host that Tests/Hosts/network makes, whose uplink leads to a world of the test's own.
@Suite("Servers of the loopback network that reach the internet", .serialized)
struct OutboundTests {
  private static let world = ProcessInfo.processInfo.environment["VPSD_TEST_WORLD"] ?? ""
  private static let programs = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent().appendingPathComponent("Hosts").path

  @Test(
    "They open connections to the world and ask for names, and to nothing of their host; whatever dies, they are reached again"
  )
  func firstTry() async throws {
    try await Service.with(["VPSD_OUTBOUND": "true"]) { service in
      let client = try service.client()
      let login = try Login(in: service.directory)
      let key = try await client.createSSHKey(.init(name: "test", publicKey: login.publicKey))
      let id = try await client.createServer(
        .init(name: "first", planId: 3, osId: 3, location: "us-west", sshKeyId: key.id)
      ).id
      let endpoint = try await active(id, client)
      expectEqual(try login.run("hostname", on: endpoint), "first")

      let programs = try Self.listeners()
      defer { for program in programs { program.end() } }
      expectEqual(try Self.connected("192.0.2.80", 8000, login, endpoint), "hello")
      #expect(try login.run("getent ahostsv4 example.com | head -n 1", on: endpoint).hasPrefix("192.0.2.80"))
      #expect(try Self.connected("192.0.2.80", 25, login, endpoint, withinSeconds: 3) == "closed", "mail")
      try reachesNothingOfItsHost(login, endpoint)

      for process in processes(containing: "\(service.data)/outbound/slirp.socket") { kill(process, SIGKILL) }
      _ = try await eventually("it is reached again", withinSeconds: 60) {
        try? login.run("hostname", on: endpoint)
      }
      expectEqual(try Self.connected("192.0.2.80", 8000, login, endpoint), "hello")

      try service.kill()
      for daemon in processes(containing: "\(service.data)/libvirt/pid") { kill(daemon, SIGKILL) }
      #expect(try login.run("hostname", on: endpoint) == "first", "without the service")
      try await service.start()
      let again = try service.client()
      _ = try await again.perform("reboot", on: id)
      _ = try await active(id, again)
      expectEqual(try Self.connected("192.0.2.80", 8000, login, endpoint), "hello")
      try await again.deleteServer(id)
      _ = try service.operate(["shutdown", "--servers"])
      let mounts = try String(contentsOfFile: "/proc/self/mounts", encoding: .utf8)
      #expect(!mounts.contains(service.data))
    }
  }

  /// In the world, and on every kind of address of the host.
  private static func listeners() throws -> [TestProgram] {
    let inWorld = [["serve", "192.0.2.80", "8000"], ["serve", "192.0.2.80", "25"], ["names", "192.0.2.80"]]
    let onHost = [["serve", "0.0.0.0", "8099"], ["serve", "127.0.0.1", "8098"], ["serve", "198.51.100.2", "8097"]]
    return try inWorld.map { try TestProgram(["/usr/bin/nsenter", "--net=\(world)", "\(programs)/traffic"] + $0) }
      + onHost.map { try TestProgram(["\(programs)/traffic"] + $0) }
  }

  private func reachesNothingOfItsHost(_ login: Login, _ endpoint: Endpoint) throws {
    let inside = endpoint.address.replacingOccurrences(of: "127.", with: "240.", options: .anchored)
    // What is its own as a rule goes out to its gateway from here on, as a hostile guest's would.
    let outwards =
      "sysctl -qw net.ipv4.conf.all.route_localnet=1; ip route add local 127.0.0.1 dev lo; ip route del local 127.0.0.0/8 table local; "
      + "ip route add 127.0.0.0/9 via 10.0.2.2; ip route add 127.128.0.0/9 via 10.0.2.2; ip route del local 127.0.0.1 table local; true"
    _ = try login.run(outwards, on: endpoint)
    let addresses = [
      "127.0.0.1", "127.9.9.9", "10.0.2.2", "10.254.254.2", "10.254.254.100", "198.51.100.2", "0.0.0.0",
    ]
    var doors = addresses.flatMap { address in [8097, 8098, 8099].map { "\(address)/\($0)" } }
    doors += [endpoint.address, inside].map { "\($0)/\(endpoint.port)" }
    // The last one is open, so that it is seen that the others would be found.
    func attempt(_ limitSeconds: Int) -> String {
      "timeout \(limitSeconds) bash -c \"exec 3<>/dev/tcp/$door && echo $door\" 2>/dev/null"
    }
    let attempts =
      "for door in \(doors.joined(separator: " ")); do \(attempt(8)) & done; wait; door=192.0.2.80/8000; \(attempt(30))"
    expectEqual(try login.run(attempts, on: endpoint), "192.0.2.80/8000")
  }

  private static func connected(
    _ address: String, _ port: Int, _ login: Login, _ endpoint: Endpoint, withinSeconds limit: Int = 40
  ) throws -> String {
    let command =
      "timeout \(limit) bash -c 'exec 3<>/dev/tcp/\(address)/\(port) && echo hello >&3 && read line <&3 && echo ${line:0:5}' 2>/dev/null || echo closed"
    return try login.run(command, on: endpoint)
  }
}

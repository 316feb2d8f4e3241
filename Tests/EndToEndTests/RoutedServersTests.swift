import APIClient
import Foundation
import TestSupport
import Testing

/// On a host that Tests/Hosts/network makes: the world is another namespace, beyond its uplink.
@Suite("Servers with addresses of their own", .serialized)
struct RoutedServersTests {
  private static let settings = [
    "VPSD_NETWORK": "routed", "VPSD_ADDRESS_POOL": "203.0.113.0/26", "VPSD_ADDRESS_POOL6": "2001:db8:10::/56",
  ]
  private static let programs = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent().appendingPathComponent("Hosts").path

  @Test(
    "They are reached from the world over both families and reach it; firewalls hold; all of it outlives whatever dies; nothing is left",
    .enabled(if: !isOnHostLibvirtd, "of the host's libvirtd there is a shorter one"))
  func life() async throws {
    try await Service.with(Self.settings) { service in
      let client = try service.client()
      let login = try Login(in: service.directory)
      let key = try await client.createSSHKey(.init(name: "test", publicKey: login.publicKey))
      let began = ContinuousClock.now
      let a = try await Self.create("a", key.id, client)
      let b = try await Self.create("b", key.id, client)
      let first = try await RoutedServer(a, client)
      let second = try await RoutedServer(b, client)
      expectEqual(try login.run("hostname", onWorld: first.address), "a")
      print("two servers from POST to a login from the world: \(ContinuousClock.now - began)")
      expectEqual(try login.run("hostname", onWorld: first.address6), "a")
      expectEqual(try login.run("hostname", onWorld: second.address6), "b")

      try reachTheWorld(login, first)
      try forge(login, first, second, in: service.directory)
      try await holdToFirewalls(client, login, first, second)
      let more = try await addAddresses(service, login, first)
      try await outlive(service, login, first)
      try await keepAddresses(more, service, login, first)

      let now = try service.client()
      let status = try service.operate(["network", "status"])
      #expect(status.contains(first.address) && !status.contains("not as it should be"))
      for server in [first, second] { try await now.deleteServer(server.id) }
      for server in [first, second] {
        _ = try await eventually("nothing of the server is left", withinSeconds: 180) {
          let all = try Self.hostNetwork()
          return all.contains(server.address) || all.contains(server.network6 ?? server.address6) ? nil : true
        }
      }
      _ = try service.operate(["shutdown"])
      _ = try service.operate(["network", "off"])
      let left = try Self.hostNetwork()
      #expect(!left.contains("vpsd") && !left.contains("203.0.113"), "\(left)")
    }
  }

  private static let isOnHostLibvirtd = ProcessInfo.processInfo.environment["VPSD_LIBVIRTD"] == "host"

  @Test(
    "With the host's own libvirtd, whose QEMU is not root, it is the same: reached, guarded, rebooted, outliving it, gone",
    .enabled(if: isOnHostLibvirtd, "Tests/Hosts/network --libvirtd"))
  func hostLibvirtd() async throws {
    try await Service.with(Self.settings) { service in
      let client = try service.client()
      let login = try Login(in: service.directory)
      let key = try await client.createSSHKey(.init(name: "test", publicKey: login.publicKey))
      let server = try await RoutedServer(try await Self.create("a", key.id, client), client)
      for address in [server.address, server.address6] {
        expectEqual(try login.run("hostname", onWorld: address), "a")
      }
      let emulator = try #require(processes(containing: server.uuid).first)
      let owner = try FileManager.default.attributesOfItem(atPath: "/proc/\(emulator)")[.ownerAccountID] as? Int
      #expect(owner != 0)
      try reachTheWorld(login, server)
      try await setFirewall(server, #"{"enabled":true,"rules":[]}"#, client)
      #expect(try !login.isLetIn(server.address))
      try await setFirewall(server, #"{"enabled":false,"rules":[]}"#, client)

      let daemon = try String(contentsOfFile: "/run/libvirt/libvirtd.pid", encoding: .utf8)
      kill(try #require(pid_t(daemon.trimmingCharacters(in: .whitespacesAndNewlines))), SIGKILL)
      expectEqual(try login.run("hostname", onWorld: server.address), "a")
      _ = try await client.perform("reboot", on: server.id)
      _ = try await active(server.id, client)
      expectEqual(try login.run("hostname", onWorld: server.address6), "a")
      expectEqual(try service.operate(["network", "status"]).contains("not as it should be"), false)

      try await client.deleteServer(server.id)
      _ = try await eventually("nothing of the server is left", withinSeconds: 180) {
        let all = try Self.hostNetwork()
        return all.contains(server.address) || all.contains(server.network6 ?? server.address6) ? nil : true
      }
      _ = try service.operate(["shutdown"])
      _ = try service.operate(["network", "off"])
      let left = try Self.hostNetwork()
      #expect(!left.contains("vpsd") && !left.contains("203.0.113"), "\(left)")
    }
  }

  static func create(_ name: String, _ key: Int, _ client: APIClient) async throws -> Int {
    try await client.createServer(.init(name: name, planId: 3, osId: 3, location: "us-west", sshKeyId: key)).id
  }

  func reachTheWorld(_ login: Login, _ server: RoutedServer) throws {
    let programs = try [
      ["serve", "192.0.2.80", "8000"], ["serve", "2001:db8:eeee::80", "8000"], ["names", "192.0.2.80"],
    ]
    .map { try TestProgram(["/usr/bin/nsenter", "--net=\(world)", "\(Self.programs)/traffic"] + $0) }
    defer { for program in programs { program.end() } }
    for address in ["192.0.2.80", "2001:db8:eeee::80"] {
      let command = "exec 3<>/dev/tcp/\(address)/8000 && echo hello >&3 && read -t 40 line <&3 && echo $line"
      expectEqual(try login.run("bash -c '\(command)'", onWorld: server.address), "hello")
    }
    #expect(try login.run("getent ahostsv4 example.com | head -n 1", onWorld: server.address).hasPrefix("192.0.2.80"))
    // What listens on the host itself is nobody's business.
    let closed =
      "for a in 198.51.100.2 169.254.1.1 127.0.0.1; do timeout 3 bash -c \"exec 3<>/dev/tcp/$a/\(hostPort)\" && echo open $a; done 2>/dev/null; true"
    let listener = try TestProgram(["\(Self.programs)/traffic", "serve", "0.0.0.0", "\(hostPort)"])
    defer { listener.end() }
    expectEqual(try login.run(closed, onWorld: server.address), "")
  }

  /// As root in a guest.
  func forge(_ login: Login, _ a: RoutedServer, _ b: RoutedServer, in folder: URL) throws {
    let guests = try [a, b].flatMap { server in
      [try login.run("cat /sys/class/net/eth0/address", onWorld: server.address), server.address, server.address6]
    }
    let frames = folder.appendingPathComponent("frames").path
    _ = try Command.output("/usr/bin/env", [Self.python, "\(Self.programs)/forgery", "make", frames, "5"] + guests)
    _ = try login.run("cat >send-frames", onWorld: a.address, input: "\(Self.programs)/send-frames")
    let route = try Command.output("/usr/bin/env", ["ip", "route", "show", b.address]).split(separator: " ")
    let tap = try #require(route.first { $0.hasPrefix("vpsd") })

    let results = "\(frames).results"
    let watch =
      "exec 4>\(results); coproc \(Self.python) \(Self.programs)/forgery watch \(frames) \(world) \(tap) >&4; "
      + "until [ -s \(results) ]; do sleep 0.1; done; \"$@\" <\(frames); exec {COPROC[1]}>&-; wait"
    let sent = try Command.output(
      "/bin/bash", ["-c", watch, "-"] + login.command("perl send-frames", onWorld: a.address), limitSeconds: 120)
    #expect(sent.hasPrefix("sent "))
    let lines = try String(contentsOfFile: results, encoding: .utf8).split(separator: "\n").dropFirst()
    let kinds = try lines.map { try JSONDecoder().decode(ForgedKind.self, from: Data($0.utf8)) }
    print("root in a guest: \(sent) of \(kinds.map(\.sent).reduce(0, +)) frames of \(kinds.count) kinds")
    #expect(kinds.count > 60)
    for kind in kinds { #expect(kind.places == kind.reaches, "\(kind)") }
  }

  private static let python = URL(fileURLWithPath: programs).deletingLastPathComponent().deletingLastPathComponent()
    .appendingPathComponent(".build/clients/bin/python").path
  /// One more of each family, in a guest that runs.
  func addAddresses(_ service: Service, _ login: Login, _ server: RoutedServer) async throws -> [String] {
    let added = ContinuousClock.now
    let more = try [["203.0.113.40"], ["2001:db8:10:40::1"]].map { address in
      let said = try service.operate(["address", "add", "\(server.id)"] + address)
      let given = address[0].contains(":") ? "2001:db8:10:40::/64" : address[0]
      // Where the guest's agent is still starting, it does not wait for it.
      #expect(said.contains("The server \(server.id) has \(given)."), "\(said)")
      return address[0]
    }
    print("two more addresses in a guest that runs: \(ContinuousClock.now - added)")
    for address in more {
      // Where the service did not wait for the agent, the guest learns of it later.
      let name = try await eventually("a login to \(address)", withinSeconds: 300) {
        try? login.run("hostname", onWorld: address)
      }
      #expect(name == "a")
    }
    #expect(try login.run("ip route get 192.0.2.80", onWorld: more[0]).contains("src \(server.address) "))
    #expect(try login.run("ip route get 2001:db8:eeee::80", onWorld: more[0]).contains("src \(server.address6) "))
    return more
  }

  /// After all that has happened to it they are there, until they are taken away.
  func keepAddresses(
    _ addresses: [String], _ service: Service, _ login: Login, _ server: RoutedServer
  ) async throws {
    for address in addresses {
      expectEqual(try login.run("hostname", onWorld: address), "a")
      let said = try service.operate(["address", "remove", "\(server.id)", address])
      #expect(said.contains(" no more."), "\(said)")
      #expect(try !login.isLetIn(address))
    }
    let left = try await eventually("the guest has none of them", withinSeconds: 300) { () -> String? in
      let left = try login.run("ip -o address show dev eth0", onWorld: server.address)
      return addresses.allSatisfy { !left.contains($0) } ? left : nil
    }
    #expect(left.contains(server.address6), "\(left)")
    expectEqual(try service.operate(["network", "status"]).contains("not as it should be"), false)
  }

  private var hostPort: Int { 8099 }

  func holdToFirewalls(
    _ client: APIClient, _ login: Login, _ a: RoutedServer, _ b: RoutedServer
  ) async throws {
    let rule =
      #"{"direction":"in","protocol":"tcp","port":"22","source_ips":["\#(a.address)/32"],"destination_ips":[]}"#
    try await setFirewall(b, #"{"enabled":true,"rules":[\#(rule)]}"#, client)
    func knock(_ limitSeconds: Int) -> String {
      "timeout \(limitSeconds) bash -c 'exec 3<>/dev/tcp/\(b.address)/22 && read line <&3 && echo ${line:0:4}'"
    }
    expectEqual(try login.run(knock(40), onWorld: a.address), "SSH-")
    #expect(try !login.isLetIn(b.address))
    #expect(try !login.isLetIn(b.address6))
    // And the other's way out.
    let out = #"{"direction":"out","protocol":"udp","port":"53","source_ips":[],"destination_ips":[]}"#
    let inbound = #"{"direction":"in","protocol":"tcp","port":"22","source_ips":[],"destination_ips":[]}"#
    try await setFirewall(a, #"{"enabled":true,"rules":[\#(inbound),\#(out)]}"#, client)
    expectEqual(try login.run("\(knock(5)) || echo closed", onWorld: a.address), "closed")
    for server in [a, b] { try await setFirewall(server, #"{"enabled":false,"rules":[]}"#, client) }
    #expect(try login.isLetIn(b.address6, withinSeconds: 60))
  }

  private func setFirewall(_ server: RoutedServer, _ json: String, _ client: APIClient) async throws {
    let reply = try await client.send("PUT", "/servers/\(server.id)/firewall/", json: Data(json.utf8))
    #expect(reply.status == 200, "\(reply.text)")
    _ = try await eventually("the firewall is in force", withinSeconds: 180) {
      try await client.send("GET", "/servers/\(server.id)/firewall/").text.contains(#""enforced":true"#) ? true : nil
    }
  }

  private func outlive(_ service: Service, _ login: Login, _ server: RoutedServer) async throws {
    let client = try service.client()
    _ = try await client.perform("reboot", on: server.id)
    _ = try await active(server.id, client)
    expectEqual(try login.run("hostname", onWorld: server.address), "a")

    let emulator = try #require(processes(containing: server.uuid).first)
    kill(emulator, SIGKILL)
    try await status("starting", of: server.id, client, withinSeconds: 180)
    _ = try await active(server.id, client)
    expectEqual(try login.run("hostname", onWorld: server.address6), "a")

    for daemon in processes(containing: "\(service.data)/libvirt/pid") { kill(daemon, SIGKILL) }
    expectEqual(try login.run("hostname", onWorld: server.address), "a")

    try service.kill()
    _ = try Command.output("/usr/bin/env", ["nft", "flush", "ruleset"])
    try await service.start()
    expectEqual(try login.run("hostname", onWorld: server.address), "a")
    _ = try await eventually("the packet filter is there again", withinSeconds: 180) {
      try Self.hostNetwork().contains("goto") ? true : nil
    }
    expectEqual(try login.run("hostname", onWorld: server.address6), "a")
  }

  static func hostNetwork() throws -> String {
    try Command.output(
      "/bin/sh",
      [
        "-c",
        "nft list ruleset; ip link; ip address; ip route show table all; ip -6 route show table all; ip neighbour show nud all; ip neighbour show proxy",
      ])
  }
}

/// What Tests/Hosts/forgery tells of one kind of frames.
private struct ForgedKind: Decodable {
  let kind: String
  let reaches: Set<String>
  let sent: Int
  let world: Int
  let neighbour: Int
  let host: Int

  var places: Set<String> {
    Set([("world", world), ("neighbour", neighbour), ("host", host)].filter { $0.1 > 0 }.map { $0.0 })
  }
}

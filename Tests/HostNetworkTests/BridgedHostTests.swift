import Core
import Foundation
import Logging
import Testing

@testable import HostNetwork

/// In namespaces that Tests/Hosts/network makes, with the bridge of Tests/Hosts/bridge: this process is on the host, and the world
/// is the router of the link.
@Suite("A host whose servers are ports of a bridge", .serialized)
struct BridgedHostTests {
  let host = ThisHost()
  let world = World()

  @Test(
    "A server is reached from the world and the host over both families, and reaches the world; the host's own ports are closed to it"
  )
  func reachable() throws {
    try withGuests { reconciler, a, b in
      try a.serve(80)
      for address in [a.address, a.address6] {
        for (place, name) in [(world as any Place, "world"), (host, "host")] {
          #expect(try place.answer("tcp", address, 80) == "answered", "\(name) \(address)")
          #expect(try place.answer("udp", address, 80) == "answered", "\(name) \(address)")
          #expect(try place.answer("icmp", address) == "answered", "\(name) \(address)")
        }
      }
      let served = try WorldServer([World.address, World.address6], ports: [53, 80, 25])
      defer { served.end() }
      for address in [World.address, World.address6] {
        #expect(try a.answer("tcp", address, 80) == "answered")
        #expect(try a.answer("udp", address, 53) == "answered")
        #expect(try a.answer("icmp", address) == "answered")
        #expect(try a.ask("tcp", address, 25) != "answered", "mail is closed")
      }
      let listeners = try HostServer()
      defer { listeners.end() }
      // By the router, and straight.
      for straight in [false, true] {
        if straight {
          _ = try a.run("ip route add \(ThisHost.address) dev eth0; ip -6 route add \(ThisHost.address6) dev eth0")
        }
        for address in [ThisHost.address, ThisHost.address6] {
          #expect(try host.answer("tcp", address, 8080) == "answered", "control")
          #expect(try a.ask("tcp", address, 8080) == "silent", "\(address)")
        }
      }
    }
  }

  @Test("Servers of one host get no frame of each other and speak by the router, or straight where that is allowed")
  func isolation() throws {
    for isIsolating in [true, false] {
      try withGuests(isIsolating: isIsolating) { reconciler, a, b in
        try a.serve(80)
        for address in [a.address, a.address6] { #expect(try b.answer("tcp", address, 80) == "answered", "\(address)") }
        _ = try a.run("ip route add \(b.address) dev eth0; ip -6 route add \(b.address6) dev eth0")
        _ = try b.run("ip route add \(a.address) dev eth0; ip -6 route add \(a.address6) dev eth0")
        for address in [a.address, a.address6] {
          if isIsolating {
            #expect(try b.ask("tcp", address, 80) != "answered", "\(address)")
          } else {
            #expect(try b.answer("tcp", address, 80) == "answered", "\(address)")
          }
        }
        guard !isIsolating else { return }
        var guarded = a.interface
        guarded.firewall = Firewall(isEnabled: true, rules: [])
        try reconciler.apply(guarded, among: { [] })
        for address in [a.address, a.address6] { #expect(try b.ask("tcp", address, 80) == "silent", "\(address)") }
      }
    }
  }

  @Test(
    "A firewall lets in what it names, from whom it names, and lets out likewise; fragments are put together for it")
  func firewall() throws {
    try withGuests { reconciler, a, b in
      try a.serve(22, 80)
      var guarded = a.interface
      guarded.firewall = Firewall(
        isEnabled: true,
        rules: [
          try FirewallRule(.inbound, .tcp, ports: "22"),
          try FirewallRule(.inbound, .udp, ports: "22"),
          try FirewallRule(.inbound, .tcp, ports: "80", networks: ["192.0.2.0/24", "2001:db8:10::/64"]),
          try FirewallRule(.outbound, .udp, ports: "53"),
        ])
      try reconciler.apply(guarded, among: { [] })
      for address in [a.address, a.address6] {
        for place in [world as any Place, b] { #expect(try place.answer("tcp", address, 22) == "answered") }
        #expect(try world.ask("icmp", address) == "silent")
        #expect(try world.ask("udp", address, 80) == "silent")
        #expect(try exchange(3000, with: address, 22, withinSeconds: 60) == 2048)
        #expect(try exchange(3000, with: address, 80, withinSeconds: 1.5) == 0)
      }
      // The world asks from its address on the link, which is named over IPv6 only.
      #expect(try world.ask("tcp", a.address, 80) == "silent")
      #expect(try world.answer("tcp", a.address6, 80) == "answered")
      #expect(try b.ask("tcp", a.address, 80) == "silent")
      let served = try WorldServer([World.address, World.address6], ports: [53, 80])
      defer { served.end() }
      for address in [World.address, World.address6] {
        #expect(try a.answer("udp", address, 53) == "answered")
        #expect(try a.ask("tcp", address, 80) == "silent")
        #expect(try b.answer("tcp", address, 80) == "answered", "another server's firewall is its own")
      }
    }
  }

  /// How much of a datagram comes back, which is larger than a frame.
  private func exchange(_ bytes: Int, with address: String, _ port: Int, withinSeconds limit: Double) throws -> Int? {
    let family = address.contains(":") ? "AF_INET6" : "AF_INET"
    let program = """
      import socket; s = socket.socket(socket.\(family), socket.SOCK_DGRAM); s.settimeout(\(limit)); s.connect(('\(address)', \(port)))
      s.send(b'x' * \(bytes))
      try: print(len(s.recv(4096)))
      except OSError: print(0)
      """
    return Int(try world.run("python3 -c \"\(program)\""))
  }

  @Test("A change of the firewall leaves connections alone that are still allowed, and ends those that no longer are")
  func liveChange() throws {
    try withGuests { reconciler, a, b in
      try a.serve(22, 80)
      let allowed = try Talk(to: a.address, 22)
      let forbidden = try Talk(to: a.address6, 80)
      defer { for talk in [allowed, forbidden] { talk.end() } }
      #expect(allowed.isHeard && forbidden.isHeard)
      var guarded = a.interface
      guarded.firewall = Firewall(isEnabled: true, rules: [try FirewallRule(.inbound, .tcp, ports: "22")])
      try reconciler.apply(guarded, among: { [] })
      #expect(forbidden.isLost(within: .seconds(60)))
      #expect(try allowed.goesOn())
    }
  }

  @Test("What goes through a server's card is counted for both families, whatever is loaded meanwhile")
  func counters() throws {
    try withGuests([Self.interface(20), Self.interface(21)]) { reconciler, a, b in
      try a.serve(80)
      let before = try #require(try reconciler.counters()[a.interface.tap])
      let command = "for i in $(seq 20); do \(TestFiles.hosts)/traffic ask udp ADDRESS 80 60; done | sort | uniq -c"
      for address in [a.address, a.address6] {
        #expect(try world.run(command.replacing("ADDRESS", with: address)).contains("20 answered"))
        try host.run("nft flush chain bridge vpsd source")
        _ = try reconciler.reconcile { [a.interface, b.interface] }
      }
      let after = try #require(try reconciler.counters()[a.interface.tap])
      // Six bytes and the headers: 8 of UDP, 20 or 40 of IP.
      let bytes: Int64 = 20 * (6 + 8 + 20) + 20 * (6 + 8 + 40)
      #expect(after.receivedBytes - before.receivedBytes == bytes)
      #expect(after.sentBytes - before.sentBytes == bytes)
      #expect(try reconciler.counters()[b.interface.tap]?.receivedBytes == 0)
    }
  }

  @Test(
    "What a guest forges reaches nobody: not the world, not its neighbours, not the host", arguments: [true, false])
  func forgedFrames(isIsolating: Bool) throws {
    try withGuests(isIsolating: isIsolating) { reconciler, a, b in
      let link = try [worldCard(), host.run("cat /sys/class/net/br0/address"), isIsolating ? "isolated" : "joined"]
      let frames = try ForgedFrames(from: a, to: b, copies: 200, link: link)
      defer { frames.remove() }
      var sent = ""
      let results = try frames.watched(tap: b.interface.tap) { sent = try a.run("frames \(frames.path)") }
      #expect(sent == "sent \(results.map(\.sent).reduce(0, +))")
      ForgedFrames.check(results)
      let repair = try reconciler.reconcile { [a.interface, b.interface] }
      #expect(!repair.isFilterLoaded && repair.links == 0 && repair.others == 0)
    }
  }

  @Test("Nobody in the world has a server's card, and the host is no way past its firewall")
  func pastTheFirewall() throws {
    try withGuests { reconciler, a, b in
      try a.serve(22, 80)
      var guarded = a.interface
      guarded.firewall = Firewall(isEnabled: true, rules: [try FirewallRule(.inbound, .tcp, ports: "22")])
      try reconciler.apply(guarded, among: { [] })
      let card = "\(a.interface.hardwareAddress)"
      let frame = "bytes.fromhex('ffffffffffff\(card.replacing(":", with: ""))88b5') + bytes(50)"
      let send =
        "import socket; s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW); s.bind(('up0', 0)); s.send(\(frame))"
      _ = try world.run("python3 -c \"\(send)\"")
      #expect(try host.run("nft list counter bridge vpsd worn").contains("packets 1 "))
      #expect(try world.answer("tcp", a.address, 22) == "answered")
      _ = try world.run("ip route add \(a.address) via \(ThisHost.address)")
      defer { _ = try? world.run("ip route delete \(a.address) via \(ThisHost.address)") }
      for port in [22, 80] { #expect(try world.ask("tcp", a.address, port) == "silent", "\(port)") }
    }
  }
}

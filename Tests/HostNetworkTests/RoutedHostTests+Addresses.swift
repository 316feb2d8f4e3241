import Core
import Foundation
import Testing

@testable import HostNetwork

extension RoutedHostTests {
  private func interface(like other: RoutedInterface, _ addresses: [String], _ networks: [String]) throws
    -> RoutedInterface
  {
    RoutedInterface(
      hardwareAddress: other.hardwareAddress, addresses: try addresses.map { try #require(IPv4Address($0)) },
      ipv6Networks: try networks.map { try #require(IPv6Network(given: $0)) }, firewall: other.firewall)
  }

  /// Whether an answer comes from the world, which serves port 53, to what a guest sends from this address.
  private func sends(_ guest: Guest, from address: String, withinSeconds limit: Int = 60) throws -> Bool {
    let isIPv4 = !address.contains(":")
    let program = """
      import socket; s = socket.socket(socket.\(isIPv4 ? "AF_INET" : "AF_INET6"), socket.SOCK_DGRAM); s.settimeout(\(limit)); \
      s.bind(('\(address)', 0)); s.sendto(b'x', ('\(isIPv4 ? World.address : World.address6)', 53)); s.recv(9); print('heard')
      """
    return try guest.run("python3 -c \"\(program)\" 2>&1").hasSuffix("heard")
  }

  /// - Parameter isSeenFirst: Whether a regular check comes before the new server's start, as in a long queue of starts.
  @Test(
    "Whoever talked with the former owner of an address does not get past the firewall of the next one",
    arguments: [false, true])
  func formerConversation(isSeenFirst: Bool) throws {
    try withGuests { reconciler, a, b in
      func send(from source: String, _ sourcePort: Int, to target: String, _ port: Int) -> String {
        "python3 -c \"import socket; s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); "
          + "s.bind(('\(source)', \(sourcePort))); s.sendto(b'x', ('\(target)', \(port)))\""
      }
      let answer = send(from: World.address, 9000, to: a.address, 161)
      var closed = a.interface
      closed.firewall = Firewall(isEnabled: true, rules: [])
      try reconciler.apply(closed, among: { [] })
      _ = try a.run(send(from: a.address, 161, to: World.address, 9000))
      _ = try world.run(answer)
      #expect(try reconciler.counters()[a.interface.tap]?.receivedBytes ?? 0 > 0, "control")

      try reconciler.remove(a.interface)
      let next = RoutedInterface(
        hardwareAddress: Self.interface(12).hardwareAddress, addresses: a.interface.addresses,
        ipv6Networks: a.interface.ipv6Networks, firewall: closed.firewall)
      if isSeenFirst { _ = try reconciler.reconcile { [next, b.interface] } }
      try reconciler.apply(next, among: { [] })
      let owner = try Guest(next)
      defer { owner.end() }
      _ = try world.run(answer)
      #expect(try reconciler.counters()[next.tap]?.receivedBytes == 0)
    }
  }

  @Test("A server gets more addresses and loses some while its connections go on, and what was counted stays")
  func severalAddresses() throws {
    try withGuests { reconciler, a, b in
      try a.serve(80)
      let talk = try Talk(to: a.address, 80)
      defer { talk.end() }
      #expect(talk.isHeard)
      let served = try WorldServer([World.address, World.address6], ports: [53])
      defer { served.end() }
      let more = try interface(
        like: a.interface, [a.address, "203.0.113.12"], ["2001:db8:10:a::/64", "2001:db8:10:c::/64"])
      let counted = try #require(try reconciler.counters()[a.interface.tap])
      #expect(counted.receivedBytes > 0)
      try reconciler.apply(more, among: { [] })
      _ = try a.run("ip address add 203.0.113.12/32 dev eth0; ip address add 2001:db8:10:c::1/64 dev eth0 nodad")
      for address in ["203.0.113.12", "2001:db8:10:c::1"] {
        try a.serve(80, at: address)
        for place in [world as any Place, b] {
          #expect(try place.answer("tcp", address, 80) == "answered", "\(address)")
        }
        #expect(try sends(a, from: address))
      }
      #expect(try world.answer("tcp", a.address, 80) == "answered")
      let quiet = try reconciler.reconcile { [more, b.interface] }
      #expect(quiet.links == 0 && quiet.others == 0 && !quiet.isFilterLoaded)

      // The first goes, and another card of the host takes it.
      let fewer = try interface(like: a.interface, ["203.0.113.12"], ["2001:db8:10:c::/64"])
      try reconciler.apply(fewer, among: { [] })
      #expect(talk.isLost(within: .seconds(60)))
      #expect(try world.ask("tcp", a.address, 80) != "answered")
      #expect(try world.answer("tcp", "203.0.113.12", 80) == "answered")
      // Its guest still has it, and sends nothing from it.
      #expect(try !sends(a, from: a.address, withinSeconds: 1))
      let heir = try interface(like: b.interface, [b.address, a.address], [b.interface.ipv6Networks[0].description])
      try reconciler.apply(heir, among: { [] })
      _ = try b.run("ip address add \(a.address)/32 dev eth0")
      try b.serve(80, at: a.address)
      #expect(try world.answer("tcp", a.address, 80) == "answered")
      let settled = try reconciler.reconcile { [fewer, heir] }
      #expect(settled.links == 0 && settled.others == 0 && !settled.isFilterLoaded)
      let now = try #require(try reconciler.counters()[a.interface.tap])
      #expect(now.receivedBytes > counted.receivedBytes && now.sentBytes > counted.sentBytes)
      // From nothing it is the same.
      try host.run("nft flush ruleset; ip link delete \(a.interface.tap)")
      _ = try reconciler.reconcile { [fewer, heir] }
      #expect(try reconciler.problems([fewer, heir]).isEmpty)
    }
  }

  @Test(
    "Private networks beyond the host are closed, but for those that the operator opens; this host is not among them")
  func openNetworks() throws {
    let (inside, beside) = ("10.20.0.80", "10.21.0.80")
    let networks = ["10.20.0.0/16", "10.20.0.0/24", "198.18.0.0/15"].compactMap { IPNetwork($0) }
    for address in [inside, beside] { _ = try world.run("ip address add \(address)/32 dev lo") }
    try host.run("ip address add 10.20.0.2/32 dev lo")
    defer {
      for address in [inside, beside] { _ = try? world.run("ip address delete \(address)/32 dev lo") }
      _ = try? host.run("ip address delete 10.20.0.2/32 dev lo")
    }
    let served = try WorldServer([inside, beside], ports: [80])
    defer { served.end() }
    let listener = try RunningProgram("python3", ["\(TestFiles.hosts)/traffic", "serve", "10.20.0.2", "80"])
    defer { listener.end() }
    #expect(listener.line() == "ready")
    try withGuests { reconciler, a, b in
      #expect(try a.ask("tcp", inside, 80) == "silent")
      let other = try Self.reconciler(openNetworks: networks)
      let interfaces = [a.interface, b.interface]
      #expect(try other.reconcile { interfaces }.isFilterLoaded)
      #expect(try a.answer("tcp", inside, 80) == "answered")
      #expect(try a.ask("tcp", beside, 80) == "silent")
      #expect(try a.ask("tcp", "10.20.0.2", 80) == "silent", "the host's own")
      #expect(try other.problems(interfaces).isEmpty)
      #expect(try reconciler.reconcile { interfaces }.isFilterLoaded)
      #expect(try a.ask("tcp", inside, 80) == "silent")
    }
  }

  @Test("Port 25 is closed, but for a server whose account may mail, and as long as it may")
  func mailExemption() throws {
    try withGuests { reconciler, a, b in
      let served = try WorldServer([World.address, World.address6], ports: [25])
      defer { served.end() }
      var mailer = a.interface
      for mayMail in [true, false] {
        mailer.mayMail = mayMail
        try reconciler.apply(mailer, among: { [] })
        for address in [World.address, World.address6] {
          #expect(try a.answer("tcp", address, 25) == (mayMail ? "answered" : "refused"))
          #expect(try b.answer("tcp", address, 25) == "refused")
        }
        let quiet = try reconciler.reconcile { [mailer, b.interface] }
        #expect(quiet.links == 0 && quiet.others == 0 && !quiet.isFilterLoaded)
      }
    }
  }

  @Test("Single IPv6 addresses of the uplink's own link are answered for there, one by one, and nobody wears one")
  func singleAddresses() throws {
    let before = try host.run("cat /proc/sys/net/ipv6/conf/up0/proxy_ndp")
    let single = "2001:db8:ffff:0:8000::"
    let interfaces = try [10, 11].map { number in
      try interface(like: Self.interface(number), ["203.0.113.\(number)"], ["\(single)\(number)"])
    }
    try withGuests(pool6: "\(single)/65", interfaces) { reconciler, a, b in
      try a.serve(80)
      try b.serve(80)
      #expect(a.address6 == "\(single)10")
      for (place, address) in [(world as any Place, a.address6), (world, b.address6), (b, a.address6), (a, b.address6)]
      {
        // The kernel answers for others in its own time, and whoever asked too early asks again.
        let isAnswered = try (1...6).contains { _ in try place.answer("tcp", address, 80) == "answered" }
        #expect(isAnswered, "\(address)")
      }
      let served = try WorldServer([World.address6], ports: [53, 80])
      defer { served.end() }
      #expect(try a.answer("tcp", World.address6, 80) == "answered")
      #expect(try world.ask("icmp", "\(single)12") != "answered")
      #expect(try sends(a, from: a.address6))
      for worn in ["\(single)12", b.address6] {
        _ = try a.run("ip address add \(worn)/128 dev eth0 nodad 2>/dev/null || true")
        #expect(try !sends(a, from: worn, withinSeconds: 1))
      }
      let quiet = try reconciler.reconcile { interfaces }
      #expect(quiet.links == 0 && quiet.others == 0 && !quiet.isFilterLoaded)
      for damage in [
        "ip -6 neighbour delete proxy \(a.address6) dev up0", "echo 0 >/proc/sys/net/ipv6/conf/up0/proxy_ndp",
        "ip -6 route delete \(a.address6) dev \(a.interface.tap)",
      ] {
        try host.run(damage)
        #expect(try reconciler.reconcile { interfaces }.others > 0, "\(damage)")
        #expect(try reconciler.reconcile { interfaces }.others == 0, "\(damage)")
      }
      #expect(try reconciler.problems(interfaces).isEmpty)
    }
    #expect(try host.run("cat /proc/sys/net/ipv6/conf/up0/proxy_ndp") == before)
    #expect(try !everything().contains("8000"))
    // The host's own address is not given away.
    let own = try Self.reconciler(pool6: "2001:db8:ffff::/64")
    #expect(throws: DriverError.self) { try own.reconcile { [] } }
  }

  @Test("The image's program gives a guest other addresses, and leaves alone what its customer has set up")
  func guestProgram() throws {
    try withGuests { reconciler, a, b in
      let folder = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)
      try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
      defer { try? FileManager.default.removeItem(at: folder) }
      let seed =
        "HOSTNAME=a\nADDRESS4=\(a.address)/32\nGATEWAY4=169.254.1.1\nADDRESS6=\(a.address6)/64\nGATEWAY6=fe80::1\n"
      try Data(seed.utf8).write(to: folder.appendingPathComponent("settings"))
      let program = "\(TestFiles.image)/usr/sbin/vpsd-set-addresses"
      func set(_ four: String, _ six: String, _ further: String) throws {
        let words = "'\(four)' 169.254.1.1 '\(six)' \(six.isEmpty ? "''" : "fe80::1") '\(further)'"
        let mounts = "mount -t tmpfs none /var/lib && mkdir /var/lib/vpsd && mount --bind \(folder.path) /var/lib/vpsd"
        let output = try a.run("unshare --mount sh -c \"\(mounts) && \(program) \(words)\" && echo done")
        #expect(output == "done", "\(output)")
      }
      func guest(_ command: String) throws -> String { try a.run(command) }
      _ = try a.run("ip address add 10.9.9.9/32 dev eth0")
      let first = "\(a.address)/32"
      for _ in 1...2 { try set(first, "\(a.address6)/64", "203.0.113.12/32 2001:db8:10:c::1/64") }
      var addresses = try guest("ip -o address show dev eth0")
      for address in [first, "203.0.113.12/32", "10.9.9.9/32", "\(a.address6)/64", "2001:db8:10:c::1/64"] {
        #expect(addresses.contains(address), "\(address) is not in \(addresses)")
      }
      #expect(try guest("ip route get 192.0.2.80").contains("src \(a.address) "))
      #expect(try guest("ip route get 2001:db8:eeee::80").contains("src \(a.address6) "))
      // The first one goes; what the customer took down stays down.
      _ = try a.run("ip address delete 2001:db8:10:c::1/64 dev eth0")
      for _ in 1...2 { try set("203.0.113.12/32", "\(a.address6)/64", "2001:db8:10:c::1/64") }
      addresses = try guest("ip -o address show dev eth0")
      #expect(!addresses.contains(first) && addresses.contains("10.9.9.9/32") && !addresses.contains("10:c::1"))
      #expect(try guest("ip route get 192.0.2.80").contains("via 169.254.1.1 dev eth0 src 203.0.113.12 "))
      // A reboot from inside sees the seed of the last start, and has them all the same, until a seed says something else.
      let functions = "sed '/^($/,$d' \(TestFiles.image)/usr/lib/vpsd/early-boot >\(folder.path)/functions"
      let boot = "\(functions); . \(folder.path)/functions; state=\(folder.path); ip address flush dev eth0"
      try set("203.0.113.12/32", "\(a.address6)/64", "203.0.113.13/32")
      addresses = try guest("\(boot); configure_network; ip -o address show dev eth0")
      #expect(addresses.contains("203.0.113.12/32") && addresses.contains("203.0.113.13/32"), "\(addresses)")
      #expect(!addresses.contains(first) && addresses.contains("\(a.address6)/64"), "\(addresses)")
      #expect(try guest("ip route get 192.0.2.80").contains("via 169.254.1.1 dev eth0 src 203.0.113.12 "))
      #expect(try guest("ip route get 2001:db8:eeee::80").contains("src \(a.address6) "))
      let next =
        "ADDRESS4=\(first)\nGATEWAY4=169.254.1.1\nADDRESSES=\"203.0.113.12/32 2001:db8:10:c::1/64\"\nREVISION=4\n"
      try Data(next.utf8).write(to: folder.appendingPathComponent("settings.new"))
      try Data("a a\n".utf8).write(to: folder.appendingPathComponent("names"))
      let said = "printf 'HOSTNAME=a\\nFQDN=a\\n' >>\(folder.path)/settings.new"
      addresses = try guest("\(said); \(boot); apply_settings; configure_network; ip -o address show dev eth0")
      for address in [first, "203.0.113.12/32", "2001:db8:10:c::1/64"] {
        #expect(addresses.contains(address), "\(address) is not in \(addresses)")
      }
      #expect(!addresses.contains("203.0.113.13") && !addresses.contains(a.address6), "\(addresses)")
      // Another way out is the customer's.
      _ = try a.run("ip address replace 10.9.9.9/32 dev eth0; ip route replace default via 10.9.9.1 dev eth0 onlink")
      try set(first, "", "203.0.113.12/32")
      #expect(try guest("ip route show default").hasPrefix("default via 10.9.9.1 dev eth0 onlink"))
      #expect(try !guest("ip -o address show dev eth0").contains("2001:db8:10:c::1"))
      let refused = try a.run("\(program) 'a; reboot' '' '' '' '' || true")
      #expect(refused.contains("no address: a; reboot"), "\(refused)")
    }
  }
}

import Core
import Foundation
import Logging
import Testing

@testable import HostNetwork

/// In namespaces that Tests/Hosts/network makes: this process is on the host.
@Suite("A host that routes to its servers", .serialized)
struct RoutedHostTests {
  let host = ThisHost()
  let world = World()

  @Test(
    "A server is reached from the world and its neighbours over both families, and reaches them; the host's own ports are closed to it",
    arguments: kinds)
  func reachable(_ link: RoutedInterface.Link) throws {
    try withGuests(Self.servers(10, 11, link)) { reconciler, a, b in
      try a.serve(80)
      try b.serve(80)
      for address in [a.address, a.address6] {
        for (place, name) in [(world as any Place, "world"), (b, "neighbour"), (host, "host")] {
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
        #expect(try a.answer("tcp", address, 25) == "refused", "mail is closed")
      }
      let listener = try HostServer()
      defer { listener.end() }
      for address in [ThisHost.address, ThisHost.address6, HostNetworkSettings.gateway] {
        #expect(try host.answer("tcp", address, 8080) == "answered", "control")
        #expect(try a.ask("tcp", address, 8080) == "silent", "\(address)")
        #expect(try a.ask("udp", address, 8080) == "silent", "\(address)")
      }
      #expect(try a.answer("icmp", HostNetworkSettings.gateway) == "answered")
    }
  }

  @Test(
    "A firewall lets in what it names, from whom it names, and holds for neighbours as for the world", arguments: kinds)
  func firewall(_ link: RoutedInterface.Link) throws {
    try withGuests(Self.servers(10, 11, link)) { reconciler, a, b in
      try a.serve(22, 80)
      var guarded = a.interface
      guarded.firewall = Firewall(
        isEnabled: true,
        rules: [
          try FirewallRule(.inbound, .tcp, ports: "22"),
          try FirewallRule(.inbound, .tcp, ports: "80", networks: ["192.0.2.0/24", "2001:db8:ffff::/48"]),
          try FirewallRule(.outbound, .udp, ports: "53"),
        ])
      try reconciler.apply(guarded, among: { [] })
      for address in [a.address, a.address6] {
        #expect(try world.answer("tcp", address, 22) == "answered")
        #expect(try b.answer("tcp", address, 22) == "answered")
        #expect(try b.ask("tcp", address, 80) == "silent")
        #expect(try world.ask("udp", address, 22) == "silent")
        #expect(try world.ask("icmp", address) == "silent")
      }
      // The world asks from the address of its link over IPv4, which is not named, and over IPv6, which is.
      #expect(try world.ask("tcp", a.address, 80) == "silent")
      #expect(try world.answer("tcp", a.address6, 80) == "answered")
      let served = try WorldServer([World.address, World.address6], ports: [53, 80])
      defer { served.end() }
      #expect(try a.answer("udp", World.address, 53) == "answered")
      #expect(try a.answer("udp", World.address6, 53) == "answered")
      #expect(try a.ask("tcp", World.address, 80) == "silent")
      #expect(try b.answer("tcp", World.address, 80) == "answered", "another server's firewall is its own")
    }
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
      guarded.firewall = .disabled
      try reconciler.apply(guarded, among: { [] })
      #expect(try world.answer("tcp", a.address6, 80) == "answered")
    }
  }

  @Test(
    "What goes through a server's card is counted for both families, whatever is loaded meanwhile", arguments: kinds)
  func counters(_ link: RoutedInterface.Link) throws {
    // Addresses of which nobody in the world still waits for an answer.
    let numbers = link == .tap ? (20, 21) : (22, 23)
    try withGuests(Self.servers(numbers.0, numbers.1, link)) { reconciler, a, b in
      try a.serve(80)
      let before = try #require(try reconciler.counters()[a.interface.tap])
      let command = "for i in $(seq 20); do \(TestFiles.hosts)/traffic ask udp ADDRESS 80 60; done | sort | uniq -c"
      for address in [a.address, a.address6] {
        #expect(try world.run(command.replacing("ADDRESS", with: address)).contains("20 answered"))
        try host.run("nft flush chain inet vpsd source")
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
    "A server that is gone leaves nothing, and neither does the whole network that is switched off", arguments: kinds)
  func nothingLeft(_ link: RoutedInterface.Link) throws {
    let forwarding = try host.run("cat /proc/sys/net/ipv6/conf/all/forwarding /proc/sys/net/ipv4/conf/up0/forwarding")
    try withGuests(Self.servers(10, 11, link)) { reconciler, a, b in
      try reconciler.remove(b.interface)
      #expect(try !everything().contains(b.interface.tap) && !everything().contains(b.address))
      #expect(try everything().contains(a.interface.tap))
      try reconciler.remove()
      #expect(try !everything().contains("vpsd") && !everything().contains("203.0.113"))
      #expect(
        try host.run("cat /proc/sys/net/ipv6/conf/all/forwarding /proc/sys/net/ipv4/conf/up0/forwarding") == forwarding)
    }
  }

  @Test("A host whose network is another installation's is left alone")
  func otherInstallation() throws {
    try withGuests { _, a, b in
      let before = try everything()
      let other = try Self.reconciler(installation: UUID())
      #expect(throws: DriverError.self) { try other.reconcile { [] } }
      #expect(throws: DriverError.self) { try other.remove() }
      #expect(try everything() == before)
      // The same one after a restart goes on.
      let same = try Self.reconciler()
      #expect(try same.reconcile { [a.interface, b.interface] }.links == 0)
    }
  }

  @Test("Nobody in the world gets in under a server's address")
  func wornAddress() throws {
    try withGuests { reconciler, a, b in
      let send =
        "import socket; s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.bind(('\(a.address)', 0)); s.sendto(b'x', ('\(b.address)', 514))"
      _ = try world.run(
        "ip address add \(a.address)/32 dev lo; python3 -c \"\(send)\"; ip address delete \(a.address)/32 dev lo")
      #expect(try host.run("nft list counter inet vpsd worn").contains("packets 1 "))
      #expect(try reconciler.counters()[b.interface.tap]?.receivedBytes == 0)
    }
  }

  @Test("A host without IPv6 routes IPv4 all the same")
  func withoutIPv6() throws {
    try host.run("echo 1 >/proc/sys/net/ipv6/conf/default/disable_ipv6")
    defer { _ = try? host.run("echo 0 >/proc/sys/net/ipv6/conf/default/disable_ipv6") }
    try withGuests(pool6: nil) { reconciler, a, b in
      try a.serve(80)
      #expect(try world.answer("tcp", a.address, 80) == "answered")
      #expect(try b.answer("tcp", a.address, 80) == "answered")
    }
  }

  @Test("An address that this host answers to, or has one of in a network, is its own, whoever may bind to what")
  func ownAddress() throws {
    // As HAProxy and keepalived want it.
    let nonlocal = "/proc/sys/net/ipv4/ip_nonlocal_bind /proc/sys/net/ipv6/ip_nonlocal_bind"
    try host.run("echo 1 | tee \(nonlocal)")
    defer { _ = try? host.run("echo 0 | tee \(nonlocal)") }
    for text in [ThisHost.address, "127.0.0.9", ThisHost.address6, "2001:db8:ffff::/64", "::1"] {
      #expect(try HostNetworkSettings.isOwn(try #require(ServerAddress(text))), "\(text)")
    }
    for text in ["198.51.100.3", "203.0.113.10", "2001:db8:ffff::3", "2001:db8:10:1::/64"] {
      #expect(try !HostNetworkSettings.isOwn(try #require(ServerAddress(text))), "\(text)")
    }
  }

  @Test("A pool with the host's own address or its router's in it is refused before anything is changed")
  func ownAddresses() throws {
    let before = try everything()
    let reconciler = try Self.reconciler(pool: "198.51.100.0/24")
    #expect(throws: DriverError.self) { try reconciler.reconcile { [] } }
    #expect(try everything() == before)
  }

  // MARK: -

  private static let installation = UUID()

  static func reconciler(
    installation: UUID = installation, pool: String = "203.0.113.0/24", pool6: String? = "2001:db8:10::/48",
    openNetworks: [IPNetwork] = []
  ) throws -> NetworkReconciler {
    let uplink = try #require(try HostNetworkSettings.defaultUplink())
    var settings = HostNetworkSettings(
      uplink: uplink, mtu: try #require(try HostNetworkSettings.mtu(of: uplink)),
      pools: [try #require(AddressPool(pool))], ipv6Pools: try pool6.map { [try #require(IPv6Pool($0))] } ?? [],
      nameServers: HostNetworkSettings.nameServers())
    settings.openNetworks = openNetworks
    var logger = Logger(label: "network")
    logger.logLevel = .critical
    let folder = TestFiles.folder + "/network"
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    return NetworkReconciler(settings: settings, installation: installation, stateDirectory: folder, logger: logger)
  }

  static func interface(_ number: Int, _ link: RoutedInterface.Link = .tap) -> RoutedInterface {
    var interface = RoutedInterface(
      hardwareAddress: HardwareAddress(number: 0x56_0000_0000_00 + UInt64(number)),
      addresses: [IPv4Address("203.0.113.\(number)")!],
      ipv6Networks: [IPv6Network("2001:db8:10:\(number)::/64")!], firewall: .disabled)
    interface.link = link
    return interface
  }

  /// A machine's and a container's.
  static let kinds = [RoutedInterface.Link.tap, .pair]

  static func servers(_ first: Int, _ second: Int, _ link: RoutedInterface.Link) -> [RoutedInterface] {
    [interface(first, link), interface(second, link)]
  }

  /// Two servers, and nothing of them afterwards.
  func withGuests(
    pool6: String? = "2001:db8:10::/48", _ interfaces: [RoutedInterface] = [interface(10), interface(11)],
    _ body: (NetworkReconciler, Guest, Guest) throws -> Void
  ) throws {
    let reconciler = try Self.reconciler(pool6: pool6)
    _ = try reconciler.reconcile { interfaces }
    let a = try Guest(interfaces[0])
    defer { a.end() }
    let b = try Guest(interfaces[1])
    defer { b.end() }
    // What is not the host's to make is there only now.
    if interfaces.contains(where: { $0.link == .pair }) { _ = try reconciler.reconcile { interfaces } }
    do { try body(reconciler, a, b) } catch { Issue.record(error) }
    try reconciler.remove()
    #expect(try !everything().contains("vpsd"))
  }

  func everything() throws -> String {
    try host.run("nft -s list ruleset") + routing()
  }

  func routing() throws -> String {
    try host.run(
      "ip link; ip address; ip route show table all; ip -6 route show table all; ip neighbour show nud permanent; ip neighbour show proxy"
    )
  }
}

/// Answers in the world.
struct WorldServer {
  private let programs: [RunningProgram]

  init(_ addresses: [String], ports: [Int]) throws {
    programs = try addresses.flatMap { address in
      try ports.map { port in
        let program = try RunningProgram(
          "nsenter",
          ["--net=\(World.namespace)", "python3", "\(TestFiles.hosts)/traffic", "serve", address, "\(port)"])
        try #require(program.line() == "ready")
        return program
      }
    }
  }

  func end() { for program in programs { program.end() } }
}

/// What listens on all addresses of the host.
struct HostServer {
  private let programs: [RunningProgram]

  init() throws {
    programs = try ["0.0.0.0", "::"].compactMap { address in
      let program = try RunningProgram("python3", ["\(TestFiles.hosts)/traffic", "serve", address, "8080"])
      return program.line() == "ready" ? program : nil
    }
  }

  func end() { for program in programs { program.end() } }
}

/// A connection of the world's to a server that goes on.
struct Talk {
  private let program: RunningProgram
  let isHeard: Bool

  init(to address: String, _ port: Int) throws {
    program = try RunningProgram(
      "nsenter", ["--net=\(World.namespace)", "python3", "\(TestFiles.hosts)/traffic", "talk", address, "\(port)"])
    isHeard = program.line() == "heard"
  }

  func isLost(within limit: Duration) -> Bool { program.line(within: limit) == "lost" }

  /// Whether what it says from now on is answered, too.
  func goesOn() throws -> Bool {
    try program.write("")
    return program.line() == "heard"
  }

  func end() { program.end() }
}

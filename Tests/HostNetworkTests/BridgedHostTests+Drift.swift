import Core
import Foundation
import Logging
import Testing

@testable import HostNetwork

extension BridgedHostTests {
  private static func damages(to server: Guest) -> [String] {
    let (tap, card) = (server.interface.tap, server.interface.hardwareAddress)
    return [
      "nft flush ruleset", "nft delete table inet vpsd", "nft delete table bridge vpsd",
      "nft flush chain bridge vpsd source", "nft flush set bridge vpsd source4",
      "nft add chain bridge vpsd extra '{ type filter hook forward priority 0; policy drop; }'",
      "nft delete element inet vpsd egress '{ \(card) }'", "nft insert rule inet vpsd \(tap)-in drop",
      "ip link set \(tap) down", "ip link set \(tap) nomaster", "ip link set \(tap) mtu 1300",
      "ip link set \(tap) type bridge_slave isolated off", "ip link set \(tap) type bridge_slave learning on flood on",
      "ip link set \(tap) type bridge_slave guard off", "ip link set \(tap) type bridge_slave mcast_router 1",
      "ip link set \(tap) address 02:00:00:00:00:09", "ip link delete \(tap)", "ip address add 10.9.9.9/32 dev \(tap)",
      "bridge fdb delete \(card) dev \(tap) master", "bridge fdb replace \(card) dev up0 master static",
      "bridge fdb replace \(card) dev \(tap) master dynamic",
      "bridge fdb add 56:00:00:00:00:99 dev \(tap) master static",
      "ip link add other type bridge; ip link set \(tap) nomaster; ip link set \(tap) master other",
      "echo 0 >/sys/class/net/br0/bridge/nf_call_iptables", "echo 0 >/sys/class/net/br0/bridge/nf_call_ip6tables",
      "echo 0 >/proc/sys/net/ipv6/conf/\(tap)/disable_ipv6", "ip tuntap add dev vpsdstranger mode tap",
    ]
  }

  @Test("What is deleted or altered by hand is right again after one look, and a look at what is right changes nothing")
  func drift() throws {
    try withGuests { reconciler, a, b in
      try b.serve(80)
      let interfaces = [a.interface, b.interface]
      let quiet = try reconciler.reconcile { interfaces }
      #expect(quiet.links == 0 && quiet.others == 0 && !quiet.isFilterLoaded)
      // A tap that is made anew has lost its guest, so it is the other one's.
      let remade = "ip link delete \(b.interface.tap)"
      let damages = Self.damages(to: b).filter { $0 != remade } + ["ip link delete \(a.interface.tap)"]
      for damage in damages {
        try host.run(damage)
        let isTold = try !reconciler.problems(interfaces).isEmpty
        #expect(isTold || damage.hasPrefix("echo 0 >/proc/sys/net/ipv6"), "\(damage) is told")
        let repair = try reconciler.reconcile { interfaces }
        #expect(repair.isFilterLoaded || repair.links > 0 || repair.others > 0, "\(damage) is seen")
        let after = try reconciler.reconcile { interfaces }
        #expect(after.links == 0 && after.others == 0 && !after.isFilterLoaded, "\(damage) is mended at once")
        #expect(try world.answer("tcp", b.address, 80) == "answered", "\(damage)")
        #expect(try world.answer("tcp", b.address6, 80) == "answered", "\(damage)")
      }
      #expect(try reconciler.problems(interfaces) == [])
      _ = try? host.run("ip link delete other")
    }
  }

  @Test("Where the bridge's packets are not shown to the firewalls, none passes")
  func unseen() throws {
    try withGuests { reconciler, a, b in
      try a.serve(80)
      let served = try WorldServer([World.address, World.address6], ports: [80])
      defer { served.end() }
      for family in ["iptables", "ip6tables"] { try host.run("echo 0 >/sys/class/net/br0/bridge/nf_call_\(family)") }
      for address in [a.address, a.address6] { #expect(try world.ask("tcp", address, 80) == "silent") }
      for address in [World.address, World.address6] { #expect(try a.ask("tcp", address, 80) == "silent") }
      #expect(try !host.run("nft list counter bridge vpsd unfiltered").contains("packets 0 "))
      _ = try reconciler.reconcile { [a.interface, b.interface] }
      for address in [a.address, a.address6] { #expect(try world.answer("tcp", address, 80) == "answered") }
      // Without the kernel's module there is nothing to be set.
      try host.run("mount -t tmpfs none /proc/sys/net/bridge")
      defer { _ = try? host.run("umount /proc/sys/net/bridge") }
      #expect(try reconciler.problems([a.interface, b.interface]).first?.contains("br_netfilter") == true)
    }
  }

  @Test(
    "A bridge that is gone is told of, and once it is there again its servers are, too, with the guests that they have")
  func vanishedBridge() throws {
    try withGuests { reconciler, a, b in
      try a.serve(80)
      let interfaces = [a.interface, b.interface]
      try host.run("\(TestFiles.hosts)/bridge down \(World.namespace)")
      _ = try reconciler.reconcile { interfaces }
      #expect(try reconciler.problems(interfaces).first?.contains("there is no bridge br0") == true)
      #expect(try world.ask("tcp", a.address, 80) != "answered")
      // A server can be made meanwhile.
      let late = Self.interface(12)
      try reconciler.apply(late, among: { interfaces })
      try host.run("\(TestFiles.hosts)/bridge up \(World.namespace)")
      _ = try reconciler.reconcile { interfaces + [late] }
      #expect(try reconciler.problems(interfaces + [late]) == [])
      for address in [a.address, a.address6] { #expect(try world.answer("tcp", address, 80) == "answered") }
      #expect(try host.run("ip -d link show dev \(late.tap)").contains("isolated on"))
      // What is there under its name, and is none, is told.
      let other = try Self.reconciler(bridge: "lo")
      #expect(try other.problems([]).contains { $0.contains("lo is no bridge") })
    }
  }

  @Test("A server gets another address while its connections go on, and one that is taken away is its own no more")
  func addresses() throws {
    try withGuests { reconciler, a, b in
      try a.serve(80)
      let talk = try Talk(to: a.address, 80)
      defer { talk.end() }
      #expect(talk.isHeard)
      let more = try interface(like: a.interface, [a.address, "203.0.113.12"], [a.address6, "2001:db8:10:0:8000::12"])
      try reconciler.apply(more, among: { [] })
      _ = try a.run("ip address add 203.0.113.12/32 dev eth0; ip address add 2001:db8:10:0:8000::12/128 dev eth0 nodad")
      for address in ["203.0.113.12", "2001:db8:10:0:8000::12"] {
        try a.serve(80, at: address)
        #expect(try world.answer("tcp", address, 80) == "answered", "\(address)")
      }
      let quiet = try reconciler.reconcile { [more, b.interface] }
      #expect(quiet.links == 0 && quiet.others == 0 && !quiet.isFilterLoaded)
      #expect(try talk.goesOn())

      // Another server has it from now on, and the world asks anew where it is.
      let fewer = try interface(like: a.interface, ["203.0.113.12"], ["2001:db8:10:0:8000::12"])
      try reconciler.apply(fewer, among: { [] })
      #expect(talk.isLost(within: .seconds(60)))
      let heir = try interface(like: b.interface, [b.address, a.address], [b.address6, a.address6])
      try reconciler.apply(heir, among: { [] })
      _ = try b.run("ip address add \(a.address)/32 dev eth0; ip address add \(a.address6)/128 dev eth0 nodad")
      _ = try world.run("ip neighbour flush dev up0")
      for address in [a.address, a.address6] {
        try b.serve(80, at: address)
        #expect(try world.answer("tcp", address, 80) == "answered", "\(address)")
      }
      #expect(try world.run("ip neighbour show \(a.address)").contains("\(b.interface.hardwareAddress)"))
      try reconciler.remove(fewer)
      let left = try host.run("ip link; bridge fdb; nft list counters; nft list set bridge vpsd hardware")
      #expect(!left.contains(fewer.tap) && left.contains(heir.tap))
      let settled = try reconciler.reconcile { [heir] }
      #expect(settled.links == 0 && settled.others == 0 && !settled.isFilterLoaded)
    }
  }

  @Test("From a routed network to a bridge and back there is no step between")
  func change() throws {
    let routed = try RoutedHostTests.reconciler(installation: Self.installation)
    let own = [RoutedHostTests.interface(10)]
    _ = try routed.reconcile { own }
    try withGuests { reconciler, a, b in
      try a.serve(80)
      #expect(try world.answer("tcp", a.address, 80) == "answered")
      #expect(try reconciler.problems([a.interface, b.interface]) == [])
    }
    _ = try routed.reconcile { own }
    #expect(try routed.problems(own) == [])
    try routed.remove()
    #expect(try !RoutedHostTests().everything().contains("vpsd"))
  }

  private func interface(like other: RoutedInterface, _ addresses: [String], _ networks: [String]) throws
    -> RoutedInterface
  {
    RoutedInterface(
      hardwareAddress: other.hardwareAddress, addresses: try addresses.map { try #require(IPv4Address($0)) },
      ipv6Networks: try networks.map { try #require(IPv6Network(given: $0)) }, firewall: other.firewall)
  }

  // MARK: -

  private static let installation = UUID()

  static func bridge(_ name: String = "br0", isIsolating: Bool = true) throws -> HostBridge {
    let gateways = try ["203.0.113.1", "2001:db8:10::1"].map { try #require(LinkGateway($0)) }
    return HostBridge(name: name, gateways: gateways, isIsolating: isIsolating)
  }

  static func reconciler(bridge: String = "br0", isIsolating: Bool = true) throws -> NetworkReconciler {
    var settings = HostNetworkSettings(
      uplink: bridge, mtu: 1500, pools: [try #require(AddressPool(["203.0.113.0/24"], reserved: ["203.0.113.1"]))],
      ipv6Pools: [try #require(IPv6Pool("2001:db8:10:0:8000::/65"))], nameServers: [])
    settings.bridge = try Self.bridge(bridge, isIsolating: isIsolating)
    var logger = Logger(label: "network")
    logger.logLevel = .critical
    let folder = TestFiles.folder + "/bridged"
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    return NetworkReconciler(settings: settings, installation: installation, stateDirectory: folder, logger: logger)
  }

  static func interface(_ number: Int) -> RoutedInterface {
    RoutedInterface(
      hardwareAddress: HardwareAddress(number: 0x56_0000_0000_00 + UInt64(number)),
      addresses: [IPv4Address("203.0.113.\(number)")!],
      ipv6Networks: [IPv6Network(given: "2001:db8:10:0:8000::\(number)")!], firewall: .disabled)
  }

  /// Two servers on a bridge, and nothing of them afterwards.
  func withGuests(
    isIsolating: Bool = true, _ interfaces: [RoutedInterface] = [interface(10), interface(11)],
    _ body: (NetworkReconciler, Guest, Guest) throws -> Void
  ) throws {
    try host.run("\(TestFiles.hosts)/bridge up \(World.namespace)")
    defer { #expect(throws: Never.self) { try host.run("\(TestFiles.hosts)/bridge down \(World.namespace)") } }
    let reconciler = try Self.reconciler(isIsolating: isIsolating)
    _ = try reconciler.reconcile { interfaces }
    let bridge = try Self.bridge()
    let a = try Guest(interfaces[0], on: bridge)
    defer { a.end() }
    let b = try Guest(interfaces[1], on: bridge)
    defer { b.end() }
    do { try body(reconciler, a, b) } catch { Issue.record(error) }
    try reconciler.remove()
    #expect(try !RoutedHostTests().everything().contains("vpsd"))
    #expect(try host.run("cat /sys/class/net/br0/bridge/nf_call_ip*tables") == "0\n0")
  }

  func worldCard() throws -> String {
    let link = try world.run("ip -o link show dev up0").split(separator: " ")
    let mark = try #require(link.firstIndex(of: "link/ether"))
    return String(link[mark + 1])
  }
}

import Core
import Foundation
import Logging
import Testing

@testable import HostNetwork

/// Links whose other ends are in containers: made by somebody else, at any time.
extension RoutedHostTests {
  @Test("Before a container runs its rules are there and no link is made; when it runs, one look makes its link right")
  func pairComes() throws {
    let (container, machine) = (Self.interface(12, .pair), Self.interface(11))
    try withGuests([container, machine]) { reconciler, a, b in
      try a.serve(80)
      #expect(try world.answer("tcp", a.address, 80) == "answered")
      #expect(try world.answer("tcp", a.address6, 80) == "answered")
      a.endWithLink()
      try awaitEnd(of: container.tap)
      let repair = try reconciler.reconcile { [container, machine] }
      #expect(repair.links == 0 && !repair.isFilterLoaded)
      #expect(try !host.run("ip link; ip route").contains(container.tap))
      #expect(try host.run("nft list map inet vpsd egress").contains(container.tap))
      #expect(try reconciler.problems([container, machine]).isEmpty)
      // Started again, with another hardware address at the host's end.
      let again = try Guest(container)
      defer { again.endWithLink() }
      try again.serve(80)
      #expect(try reconciler.reconcile { [container, machine] }.links > 0)
      #expect(try world.answer("tcp", again.address, 80) == "answered")
      #expect(try b.answer("icmp", again.address6) == "answered")
      let link = try host.run("ip -details link show \(container.tap); ip -6 address show dev \(container.tap)")
      #expect(link.contains(HostNetworkSettings.gatewayHardwareAddress) && link.contains("addrgenmode none"))
      #expect(link.matches(of: #/inet6/#).count == 1, "\(link)")
      try reconciler.apply(machine, among: { [container] })
      #expect(try reconciler.reconcile { [container, machine] }.others == 0)
    }
  }

  @Test("A link that nobody has looked at yet passes nothing, whosever it is")
  func pairPassesNothing() throws {
    let (container, machine) = (Self.interface(12, .pair), Self.interface(11))
    try withGuests([Self.interface(10), machine]) { reconciler, a, b in
      try b.serve(80)
      // One that no server has, and one that has its rules and no addresses.
      for isKnown in [false, true] {
        if isKnown { try reconciler.apply(container, among: { [a.interface, machine] }) }
        let early = try Guest(container)
        try host.run(
          "sysctl -qw net.ipv4.conf.\(container.tap).forwarding=1; ip route add \(early.address) dev \(container.tap)")
        try early.serve(80)
        for address in [b.address, b.address6, ThisHost.address, ThisHost.address6, World.address] {
          #expect(try early.ask("tcp", address, 80) != "answered", "\(address)")
        }
        #expect(try early.ask("icmp", HostNetworkSettings.gateway) != "answered")
        #expect(try b.ask("tcp", early.address, 80) != "answered")
        // The address that the link has at first must not stay in the guest's mind.
        #expect(try !early.run("ip neighbour show \(HostNetworkSettings.gateway)").contains("REACHABLE"))
        early.endWithLink()
        try awaitEnd(of: container.tap)
      }
      try reconciler.remove(container)
    }
  }

  @Test("Who keeps the network makes a link right after it has come, within a minute, however often it goes")
  func pairIsKept() throws {
    let (container, machine) = (Self.interface(12, .pair), Self.interface(11))
    try withGuests([Self.interface(10), machine]) { reconciler, a, b in
      let keeper = Keeper(reconciler, [a.interface, b.interface, container])
      defer { keeper.end() }
      try keeper.awaitLoaded(container)
      for _ in 1...3 {
        let guest = try Guest(container)
        let came = ContinuousClock.now
        while try host.run("ip -6 route show dev \(container.tap)").contains("2001:db8:10:12::/64") != true {
          try #require(ContinuousClock.now - came < .seconds(60))
          poll(nil, 0, 5)
        }
        print("a link that has come is right after \((ContinuousClock.now - came).milliseconds) ms")
        try guest.serve(80)
        #expect(try b.answer("tcp", guest.address, 80) == "answered")
        guest.endWithLink()
        try awaitEnd(of: container.tap)
      }
    }
  }

  @Test("Servers of several drivers are in one network: what one of them changes takes nothing from the others")
  func sources() throws {
    let (container, machine) = (Self.interface(12, .pair), Self.interface(11))
    let reconciler = try Self.reconciler()
    let folder = NSTemporaryDirectory() + "vpsd-links-\(UUID().uuidString)"
    defer { try? FileManager.default.removeItem(atPath: folder) }
    var logger = Logger(label: "links")
    logger.logLevel = .critical
    let (machines, containers) = (
      ServerLinks(reconciler: reconciler, root: "\(folder)/servers", logger: logger),
      ServerLinks(reconciler: reconciler, root: "\(folder)/containers", logger: logger)
    )
    let (first, second) = (UUID(), UUID())
    try machines.define(machine, of: first)
    try containers.define(container, of: second)
    try containers.attach(second, isOff: true)
    for tap in [machine.tap, container.tap] {
      #expect(try host.run("nft list map inet vpsd egress").contains(tap))
    }
    try machines.attach(first, isOff: true)
    _ = try reconciler.reconcile { [] }
    #expect(try reconciler.problems([]).isEmpty)
    let guest = try Guest(container)
    let address = try #require(container.addresses.first)
    #expect(!HostLinks.isRouted(address, to: container.tap))
    try containers.attachMade(second)
    #expect(HostLinks.isRouted(address, to: container.tap) && !HostLinks.isRouted(address, to: machine.tap))
    #expect(try containers.isThere(second) && world.answer("icmp", guest.address) == "answered")
    #expect(try containers.counters()[second]?.receivedBytes ?? 0 > 0 && containers.counters()[first] == nil)
    var firewall = Firewall(isEnabled: true, rules: [])
    try containers.apply(firewall, .standard, to: second)
    #expect(try world.ask("icmp", guest.address) == "silent")
    firewall = .disabled
    try containers.apply(firewall, .standard, to: second)
    #expect(try world.answer("icmp", guest.address6) == "answered")
    guest.endWithLink()
    try awaitEnd(of: container.tap)
    try containers.release(second)
    #expect(try !host.run("nft list map inet vpsd egress; nft list counters").contains(container.tap))
    #expect(try FileManager.default.contentsOfDirectory(atPath: "\(folder)/containers").isEmpty)
    #expect(try host.run("ip link").contains(machine.tap))
    try reconciler.remove()
  }

  /// The kernel takes a network apart after the last process in it has ended.
  private func awaitEnd(of link: String) throws {
    let began = ContinuousClock.now
    while HostLinks.exists(link) {
      try #require(ContinuousClock.now - began < .seconds(60))
      poll(nil, 0, 10)
    }
  }
}

import Core
import Foundation
import Logging
import Testing

@testable import HostNetwork

extension RoutedHostTests {
  /// Servers at private addresses, and ports of the host for each.
  private func withPrivateGuests(_ body: (NetworkReconciler, Guest, Guest) throws -> Void) throws {
    let known = try Self.reconciler(pool: "10.77.0.0/24", pool6: nil)
    var settings = known.settings
    settings.forwarding = PortForwarding(
      address: try #require(try HostNetworkSettings.address(of: settings.uplink)), range: 20_000...20_999,
      guestPorts: [22, 80], servers: HostNetworkSettings.privateRanges(of: settings.pools))
    var logger = Logger(label: "network")
    logger.logLevel = .critical
    let reconciler = NetworkReconciler(
      settings: settings, installation: UUID(), stateDirectory: NSTemporaryDirectory() + "vpsd-network-\(getpid())",
      logger: logger)
    let interfaces = [10, 11].map { number in
      RoutedInterface(
        hardwareAddress: HardwareAddress(number: 0x56_0000_0000_00 + UInt64(number)),
        addresses: [IPv4Address("10.77.0.\(number)")!], ipv6Networks: [IPv6Network("2001:db8:10:\(number)::/64")!],
        firewall: .disabled)
    }
    _ = try reconciler.reconcile { interfaces }
    let a = try Guest(interfaces[0])
    defer { a.end() }
    let b = try Guest(interfaces[1])
    defer { b.end() }
    do { try body(reconciler, a, b) } catch { Issue.record(error) }
    try reconciler.remove()
    #expect(try !everything().contains("vpsd"))
  }

  @Test("A server at a private address is reached at ports of its host, from everywhere, and its firewall holds there")
  func forwardedPorts() throws {
    try withPrivateGuests { reconciler, a, b in
      try a.serve(22, 80)
      try b.serve(22)
      // The tenth and the eleventh of the pool.
      for (place, name) in [(world as any Place, "world"), (host, "host"), (b, "neighbour")] {
        #expect(try place.ask("tcp", ThisHost.address, 20_018) == "answered", "\(name)")
        #expect(try place.ask("tcp", ThisHost.address, 20_019) == "answered", "\(name)")
      }
      #expect(try world.ask("tcp", ThisHost.address, 20_020) == "answered")
      // Nobody serves there, and nobody is there.
      #expect(try world.ask("tcp", ThisHost.address, 20_021) == "refused")
      #expect(try world.ask("tcp", ThisHost.address, 20_022) == "refused")
      #expect(try world.ask("tcp", "10.77.0.10", 22) != "answered", "nothing leads there but the host")
      let served = try WorldServer([World.address], ports: [80])
      defer { served.end() }
      #expect(try a.ask("tcp", World.address, 80) == "answered")

      var guarded = a.interface
      guarded.firewall = Firewall(
        isEnabled: true, rules: [try FirewallRule(.inbound, .tcp, ports: "22", networks: ["198.51.100.0/24"])])
      try reconciler.apply(guarded, among: { [] })
      #expect(try world.ask("tcp", ThisHost.address, 20_018) == "answered")
      #expect(try world.ask("tcp", ThisHost.address, 20_019) == "silent")
      #expect(try b.ask("tcp", ThisHost.address, 20_018) == "silent", "it is not of the network that is named")
    }
  }

  @Test(
    "What somebody does to forwarded ports is mended, and those of a server that is gone lead nowhere, with all that was open"
  )
  func forwardedPortsDrift() throws {
    try withPrivateGuests { reconciler, a, b in
      try a.serve(22)
      let interfaces = [a.interface, b.interface]
      for damage in [
        "nft flush map inet vpsd forwards", "nft flush chain inet vpsd forwarded",
        "nft delete element inet vpsd forwards '{ 20018 }'; nft add element inet vpsd forwards '{ 20018 : 10.77.0.11 . 22 }'",
      ] {
        try host.run(damage)
        #expect(try reconciler.reconcile { interfaces }.isFilterLoaded, "\(damage)")
        #expect(try !reconciler.reconcile { interfaces }.isFilterLoaded, "\(damage)")
        #expect(try world.ask("tcp", ThisHost.address, 20_018) == "answered")
      }
      #expect(try reconciler.problems(interfaces).isEmpty)
      let talk = try Talk(to: ThisHost.address, 20_018)
      defer { talk.end() }
      #expect(talk.isHeard)
      // Another server has the address, and its ports with it.
      var heir = b.interface
      try reconciler.remove(a.interface)
      heir = RoutedInterface(
        hardwareAddress: heir.hardwareAddress, addresses: heir.addresses + a.interface.addresses,
        ipv6Networks: heir.ipv6Networks, firewall: .disabled)
      try reconciler.apply(heir, among: { [] })
      #expect(talk.isLost(within: .seconds(5)))
      _ = try b.run("ip address add \(a.address)/32 dev eth0")
      try serve(b, a.address, 22)
      #expect(try world.ask("tcp", ThisHost.address, 20_018) == "answered")
      try reconciler.remove(heir)
      #expect(try world.ask("tcp", ThisHost.address, 20_018) != "answered")
      #expect(try !host.run("nft list map inet vpsd forwards").contains("20018"))
    }
  }
}

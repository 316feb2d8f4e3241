import Core
import Foundation
import Logging
import Testing

@testable import HostNetwork

extension RoutedHostTests {
  private static let installation = UUID()

  /// Servers at private addresses, and ports of the host for each.
  private func withPrivateGuests(_ body: (NetworkReconciler, Guest, Guest) throws -> Void) throws {
    let known = try Self.reconciler(pool: "10.77.0.0/24", pool6: nil)
    var settings = known.settings
    settings.forwarding = PortForwarding(
      address: nil, range: 20_000...20_999,
      guestPorts: [22, 80], servers: HostNetworkSettings.privateRanges(of: settings.pools))
    var logger = Logger(label: "network")
    logger.logLevel = .critical
    let reconciler = NetworkReconciler(
      settings: settings, installation: Self.installation,
      stateDirectory: TestFiles.folder + "/network", logger: logger)
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
        #expect(try place.answer("tcp", ThisHost.address, 20_018) == "answered", "\(name)")
        #expect(try place.answer("tcp", ThisHost.address, 20_019) == "answered", "\(name)")
      }
      #expect(try world.answer("tcp", ThisHost.address, 20_020) == "answered")
      // Nobody serves there, and nobody is there.
      #expect(try world.answer("tcp", ThisHost.address, 20_021) == "refused")
      #expect(try world.answer("tcp", ThisHost.address, 20_022) == "refused")
      #expect(try world.ask("tcp", "10.77.0.10", 22) != "answered", "nothing leads there but the host")
      let served = try WorldServer([World.address], ports: [80])
      defer { served.end() }
      #expect(try a.answer("tcp", World.address, 80) == "answered")

      var guarded = a.interface
      guarded.firewall = Firewall(
        isEnabled: true, rules: [try FirewallRule(.inbound, .tcp, ports: "22", networks: ["198.51.100.0/24"])])
      try reconciler.apply(guarded, among: { [] })
      #expect(try world.answer("tcp", ThisHost.address, 20_018) == "answered")
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
        #expect(try world.answer("tcp", ThisHost.address, 20_018) == "answered")
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
      #expect(talk.isLost(within: .seconds(60)))
      _ = try b.run("ip address add \(a.address)/32 dev eth0")
      try b.serve(22, at: a.address)
      #expect(try world.answer("tcp", ThisHost.address, 20_018) == "answered")
      try reconciler.remove(heir)
      #expect(try world.ask("tcp", ThisHost.address, 20_018) != "answered")
      #expect(try !host.run("nft list map inet vpsd forwards").contains("20018"))
    }
  }

  @Test(
    "A port that a program of the host has leads to no server until it is free, and none takes one that leads to a server"
  )
  func takenPorts() throws {
    let (early, late) = (try HostProgramListening(at: "0.0.0.0", 20_018), 20_020)
    defer { early.end() }
    try withPrivateGuests { reconciler, a, b in
      try a.serve(22, 80)
      try b.serve(22)
      let interfaces = [a.interface, b.interface]
      func ports(_ reconciler: NetworkReconciler, of guest: Guest) -> [Int]? {
        reconciler.forwarding(to: guest.interface.addresses[0])?.ports.map(\.host)
      }
      #expect(ports(reconciler, of: a) == [20_019] && ports(reconciler, of: b) == [20_020, 20_021])
      #expect(try world.answer("tcp", ThisHost.address, 20_018) == "answered", "by the program")
      #expect(try world.answer("tcp", ThisHost.address, 20_019) == "answered")
      #expect(try !host.run("nft list map inet vpsd forwards").contains("20018"))
      #expect(try reconciler.problems(interfaces).map { $0.contains("lead to no server: 20018") } == [true])

      let other = try HostProgramListening(at: ThisHost.address, late)
      defer { other.end() }
      let next = NetworkReconciler(
        settings: reconciler.settings, installation: Self.installation,
        stateDirectory: TestFiles.folder + "/network",
        logger: Logger(label: "network") { _ in SwiftLogNoOpLogHandler() })
      for reconciler in [reconciler, next] {
        _ = try reconciler.reconcile { interfaces }
        #expect(ports(reconciler, of: b) == [20_020, 20_021])
      }
      #expect(try host.run("nft list map inet vpsd forwards").contains("20020"))

      early.end()
      let repair = try reconciler.reconcile { interfaces }
      #expect(repair.isFilterLoaded && repair.isOwnChange)
      #expect(ports(reconciler, of: a) == [20_018, 20_019])
      #expect(try world.answer("tcp", ThisHost.address, 20_018) == "answered", "by the server")
      #expect(try reconciler.problems(interfaces).isEmpty)
    }
  }

  @Test("Forwarded ports are at the address that the uplink has now, and stay at one that it still has")
  func otherAddress() throws {
    try withPrivateGuests { reconciler, a, b in
      try a.serve(22)
      let interfaces = [a.interface, b.interface]
      let other = "198.51.100.3"
      let promote = "/proc/sys/net/ipv4/conf/up0/promote_secondaries"
      try host.run("echo 1 >\(promote); ip address add \(other)/24 dev up0")
      defer {
        _ = try? host.run(
          """
          ip address add \(ThisHost.address)/24 dev up0; ip address delete \(other)/24 dev up0; echo 0 >\(promote)
          ip route replace default via 198.51.100.1
          """)
      }
      #expect(try !reconciler.reconcile { interfaces }.isFilterLoaded)
      #expect(reconciler.forwarding(to: a.interface.addresses[0])?.address.description == ThisHost.address)
      try host.run("ip address delete \(ThisHost.address)/24 dev up0; ip route replace default via 198.51.100.1")
      let repair = try reconciler.reconcile { interfaces }
      #expect(repair.isFilterLoaded && repair.isOwnChange)
      #expect(reconciler.forwarding(to: a.interface.addresses[0])?.address.description == other)
      #expect(try world.answer("tcp", other, 20_018) == "answered")
      #expect(try reconciler.problems(interfaces).isEmpty)
    }
  }
}

/// A program of the host that answers at a port.
final class HostProgramListening {
  private let program: RunningProgram

  init(at address: String, _ port: Int) throws {
    program = try RunningProgram("python3", ["\(TestFiles.hosts)/traffic", "serve", address, "\(port)"])
    try #require(program.line() == "ready")
  }

  func end() { program.end() }
}

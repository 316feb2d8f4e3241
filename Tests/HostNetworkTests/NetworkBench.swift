import Core
import Foundation
import Testing

@testable import HostNetwork

private let benchCount = ProcessInfo.processInfo.environment["NETWORK_BENCH"].flatMap { Int($0) }

/// `make bench-network`: in the namespaces of Tests/Hosts/network, with NETWORK_BENCH=1000.
@Suite("What the network of many servers costs", .enabled(if: benchCount != nil, "a bench: make bench-network"))
struct NetworkBench {
  let host = ThisHost()
  let world = World()
  private let clock = ContinuousClock()

  @Test(
    "Rules of a thousand servers are loaded in seconds, those of one in an instant, and a packet costs what it did before"
  )
  func many() throws {
    let count = try #require(benchCount)
    let reconciler = try RoutedHostTests.reconciler()
    defer { try? reconciler.remove() }
    let one = [RoutedHostTests.interface(1)]
    _ = try reconciler.reconcile { one }
    let guest = try Guest(one[0])
    defer { guest.end() }
    let alone = try packetsPerSecond(to: guest, reconciler)

    var servers = try one + (1...count).map { try Self.server($0) }
    print("\(count) servers with ten rules each")
    try time("all of it, from nothing") { _ = try reconciler.reconcile { servers } }
    let looks = try (1...3).map { _ in
      try time("a look, with nothing to do") {
        let repair = try reconciler.reconcile { servers }
        #expect(!repair.isFilterLoaded && repair.links == 0 && repair.others == 0)
      }
    }
    #expect(looks.min()! < .seconds(5))
    servers[count].firewall = .disabled
    try time("another firewall for one") { try reconciler.apply(servers[count], among: { servers }) }
    let new = try Self.server(count + 1)
    try time("one more") { try reconciler.apply(new, among: { servers }) }
    try time("one less") { try reconciler.remove(new) }
    try time("the packet filter flushed: until it is there again") {
      try host.run("nft flush ruleset")
      #expect(try reconciler.reconcile { servers }.isFilterLoaded)
    }
    try time("the counters of all") {
      let counters = try reconciler.counters()
      #expect(counters.count == count + 1)
    }
    let beside = try packetsPerSecond(to: guest, reconciler)
    print("packets a second to one server: \(alone) alone, \(beside) beside \(count) others")
    #expect(Double(beside) > 0.7 * Double(alone))
  }

  @discardableResult
  private func time(_ what: String, _ body: () throws -> Void) throws -> Duration {
    let elapsed = try clock.measure(body)
    print("  \(what): \(elapsed.milliseconds) ms")
    return elapsed
  }

  /// The best of some tries, each of which must have been counted to the byte.
  private func packetsPerSecond(to guest: Guest, _ reconciler: NetworkReconciler) throws -> Int {
    let packets = 100_000
    return try (1...5).map { _ in
      let before = try #require(try reconciler.counters()[guest.interface.tap])
      let rate = try world.run("\(TestFiles.hosts)/traffic flood \(guest.address) 9 \(packets)")
      let after = try #require(try reconciler.counters()[guest.interface.tap])
      // Eighteen bytes and the headers of UDP and IP.
      #expect(after.receivedBytes - before.receivedBytes == Int64(packets) * (18 + 8 + 20))
      return try #require(Int(rate))
    }.max()!
  }

  /// Ten rules, each of its own, of what people write.
  private static func server(_ number: Int) throws -> RoutedInterface {
    let rules = try (0..<10).map { rule in
      let network = rule % 2 == 0 ? "198.51.\(rule).0/24" : "2001:db8:\(rule):\(number)::/64"
      return try FirewallRule(.inbound, .tcp, ports: "\(1000 + rule * 7)", networks: [network])
    }
    let last = number + 16
    return RoutedInterface(
      hardwareAddress: HardwareAddress(number: 0x56_0000_0100_00 + UInt64(number)),
      addresses: [IPv4Address(number: 0xC612_0000 + UInt32(number))],
      ipv6Networks: [IPv6Network("2001:db8:10:\(String(last, radix: 16))::/64")!],
      firewall: Firewall(isEnabled: true, rules: rules))
  }
}

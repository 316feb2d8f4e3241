import Core
import Foundation
import Logging
import Testing

@testable import HostNetwork

extension RoutedHostTests {
  /// In Mbit/s over TCP; what a server takes and what it gives.
  private func speeds(of guest: Guest) throws -> (taken: Double, given: Double) {
    let taken = try guest.run("\(TestFiles.hosts)/speed get \(World.address) 5001")
    let given = try world.run("\(TestFiles.hosts)/speed get \(guest.address) 5001")
    return (try #require(Double(taken), "\(taken)"), try #require(Double(given), "\(given)"))
  }

  private func withSpeedServers(_ guests: Guest..., body: () throws -> Void) throws {
    let server = try RunningProgram(
      "nsenter", ["--net=\(World.namespace)", "\(TestFiles.hosts)/speed", "serve", World.address, "5001"])
    defer { server.end() }
    try #require(server.line() == "ready")
    for guest in guests {
      _ = try guest.run("\(TestFiles.hosts)/speed serve \(guest.address) 5001 >/tmp/served.$$ 2>&1 & sleep 0.5")
    }
    try body()
  }

  @Test(
    "A server is as fast as its plan in both directions, another one at once when that changes, and others are not slowed"
  )
  func speed() throws {
    var slow = Self.interface(10)
    slow.speedMbit = 20
    try withGuests(pool6: "2001:db8:10::/48", [slow, Self.interface(11)]) { reconciler, a, b in
      try withSpeedServers(a, b) {
        let limited = try speeds(of: a)
        let free = try speeds(of: b)
        #expect((14...22).contains(limited.taken) && (14...22).contains(limited.given), "\(limited)")
        #expect(free.taken > 40 && free.given > 40, "\(free)")
        let counted = try #require(try reconciler.counters()[slow.tap])
        slow.speedMbit = 5
        try reconciler.apply(slow, among: { [] })
        let slower = try speeds(of: a)
        #expect((3...6).contains(slower.taken) && (3...6).contains(slower.given), "\(slower)")
        let now = try #require(try reconciler.counters()[slow.tap])
        #expect(now.receivedBytes > counted.receivedBytes && now.sentBytes > counted.sentBytes)
        slow.speedMbit = nil
        try reconciler.apply(slow, among: { [] })
        #expect(try speeds(of: a).taken > 40)
        #expect(try !host.run("nft list limits table inet vpsd").contains(slow.tap))
        print("speeds in Mbit/s: of 20: \(limited), of 5: \(slower), without a limit: \(free)")
      }
    }
  }

  @Test("A limit that somebody takes away or alters is there again after one look, and what others get is not touched")
  func speedDrift() throws {
    var slow = Self.interface(10)
    slow.speedMbit = 20
    try withGuests(pool6: "2001:db8:10::/48", [slow, Self.interface(11)]) { reconciler, a, b in
      let tap = slow.tap
      let interfaces = [slow, b.interface]
      let right = try host.run("nft -s list limits table inet vpsd; nft -s list map inet vpsd speed_in")
      let delete = "nft delete element inet vpsd speed_in '{ \"\(tap)\" }'; nft delete limit inet vpsd \(tap)-in-20"
      for damage in [
        "nft flush map inet vpsd speed_in", delete, "nft flush chain inet vpsd account",
        "\(delete); nft add limit inet vpsd \(tap)-in-20 '{ rate over 1 bytes/second }'; "
          + "nft add element inet vpsd speed_in '{ \"\(tap)\" : \"\(tap)-in-20\" }'",
        "nft add limit inet vpsd strange '{ rate over 1 bytes/second }'",
        "nft add limit inet vpsd strange '{ rate over 1 bytes/second }'; "
          + "nft add element inet vpsd speed_in '{ \"\(b.interface.tap)\" : \"strange\" }'",
      ] {
        try host.run(damage)
        #expect(try reconciler.reconcile { interfaces }.isFilterLoaded, "\(damage)")
        #expect(try !reconciler.reconcile { interfaces }.isFilterLoaded, "\(damage)")
        #expect(try host.run("nft -s list limits table inet vpsd; nft -s list map inet vpsd speed_in") == right)
      }
      // After a restart, with another plan meanwhile.
      slow.speedMbit = 100
      let later = try Self.reconciler()
      _ = try later.reconcile { [slow, b.interface] }
      #expect(try later.problems([slow, b.interface]).isEmpty)
      #expect(try host.run("nft list limits table inet vpsd").contains("\(tap)-out-100"))
      #expect(try !host.run("nft list limits table inet vpsd").contains("\(tap)-out-20"))
      try later.remove(slow)
      #expect(try !everything().contains(tap))
    }
  }

  @Test("A kernel without limits routes all the same, and it is told")
  func withoutLimits() throws {
    var slow = Self.interface(10)
    slow.speedMbit = 20
    let known = try Self.reconciler()
    let reconciler = NetworkReconciler(
      settings: known.settings, installation: UUID(), stateDirectory: NSTemporaryDirectory(),
      logger: Logger(label: "network") { _ in SwiftLogNoOpLogHandler() }, canLimit: { false })
    defer { try? reconciler.remove() }
    try reconciler.apply(slow, among: { [] })
    #expect(reconciler.isLoaded(slow))
    let again = try reconciler.reconcile { [slow] }
    #expect(!again.isFilterLoaded && again.links == 0)
    #expect(try reconciler.problems([slow]).contains { $0.contains("not held to the speed") })
    #expect(try !host.run("nft list table inet vpsd").contains("limit name"))
  }
}

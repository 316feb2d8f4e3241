import Core
import Foundation
import Logging
import Testing

@testable import HostNetwork

extension RoutedHostTests {
  /// Those of one server, each way, in bytes a second.
  private func limits(of interface: RoutedInterface) throws -> [String: String] {
    try ["in", "out"].reduce(into: [:]) { limits, way in
      let map = try host.run("nft -s list map inet vpsd speed_\(way)")
      guard let name = map.firstMatch(of: try Regex("\"\(interface.tap)\" : \"([^\"]+)\""))?[1].substring else {
        return
      }
      let limit = try host.run("nft list limit inet vpsd \(name)")
      limits[way] = limit.firstMatch(of: #/rate over ([0-9]+ [a-z]*bytes/second)/#).map { String($0.1) }
    }
  }

  @Test(
    "A server has the limit of its plan in both directions, another one at once when that changes, and others have none; how fast that is says `make bench-network`",
    arguments: kinds)
  func speed(_ link: RoutedInterface.Link) throws {
    var slow = Self.interface(10, link)
    slow.speedMbit = 20
    try withGuests(pool6: "2001:db8:10::/48", [slow, Self.interface(11, link)]) { reconciler, a, b in
      try a.serve(80)
      #expect(try limits(of: slow) == ["in": "2500000 bytes/second", "out": "2500000 bytes/second"])
      #expect(try limits(of: b.interface).isEmpty)
      #expect(try world.answer("tcp", a.address, 80) == "answered")
      let counted = try #require(try reconciler.counters()[slow.tap])
      let talk = try Talk(to: a.address, 80)
      defer { talk.end() }
      #expect(talk.isHeard)
      slow.speedMbit = 5
      try reconciler.apply(slow, among: { [] })
      #expect(try limits(of: slow) == ["in": "625000 bytes/second", "out": "625000 bytes/second"])
      #expect(try world.answer("tcp", a.address6, 80) == "answered")
      let now = try #require(try reconciler.counters()[slow.tap])
      #expect(now.receivedBytes > counted.receivedBytes && now.sentBytes > counted.sentBytes)
      slow.speedMbit = nil
      try reconciler.apply(slow, among: { [] })
      #expect(try limits(of: slow).isEmpty)
      #expect(try !host.run("nft list limits table inet vpsd").contains(slow.tap))
      #expect(try talk.goesOn(), "connections go on")
    }
  }

  @Test("What a server sends beyond its own speed uses up nothing of the speed of whoever it is sent to")
  func neighboursAllowance() throws {
    var (loud, quiet) = (Self.interface(10), Self.interface(11))
    (loud.speedMbit, quiet.speedMbit) = (1, 2)
    try withGuests(pool6: "2001:db8:10::/48", [loud, quiet]) { reconciler, a, b in
      try b.serve(80)
      func probesDuringFlood(_ count: Int) throws -> String {
        let traffic = "\(TestFiles.hosts)/traffic"
        let file = TestFiles.folder + "/flood"
        _ = try a.run("\(traffic) flood \(b.address) 9 1000000 >/dev/null 2>&1 & echo $! >\(file)")
        defer { _ = try? a.run("kill $(cat \(file)); rm \(file)") }
        // Until it has used up whatever was left from before.
        let began = ContinuousClock.now
        while try host.run("nft list counter inet vpsd \(loud.tap)-out").contains("packets 0 ") {
          try #require(ContinuousClock.now - began < .seconds(60))
        }
        _ = try world.run("\(traffic) probe \(b.address) 80 1")
        return try world.run("\(traffic) probe \(b.address) 80 \(count)")
      }
      #expect(try probesDuringFlood(10) == "10 of 10")
      // The control: whoever asked the receiver first would leave nothing of it, unless this host is too busy to flood it.
      try host.run(
        """
        nft -f - <<'END'
        flush chain inet vpsd account
        add rule inet vpsd account \(SpeedLimit.inRule(for: "oifname"))
        add rule inet vpsd account \(SpeedLimit.outRule(for: "iifname"))
        END
        """)
      #expect(try (1...4).contains { _ in try probesDuringFlood(5) != "5 of 5" })
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

import Core
import Foundation
import HostPrograms
import Testing

@testable import HostNetwork

extension RoutedHostTests {
  /// To what is a server's, and to what is everybody's; each by a command.
  private static func damages(to server: Guest) -> [String] {
    let tap = server.interface.tap
    return [
      "nft flush ruleset", "nft delete table inet vpsd", "nft delete table arp vpsd",
      "nft flush chain inet vpsd source", "nft flush chain inet vpsd \(tap)-in",
      "nft insert rule inet vpsd \(tap)-in drop", "nft delete element inet vpsd egress '{ \"\(tap)\" }'",
      "nft flush set inet vpsd source4", "nft add element inet vpsd closed4 '{ 192.0.2.0/24 }'",
      "nft add chain inet vpsd extra '{ type filter hook forward priority 0; policy drop; }'",
      "ip link set \(tap) down", "ip address delete 169.254.1.1/32 dev \(tap)",
      "ip -6 address delete fe80::1/64 dev \(tap)", "ip neighbour delete \(server.address) dev \(tap)",
      "ip route delete \(server.address) dev \(tap)",
      "ip -6 route delete \(server.interface.ipv6Networks[0]) dev \(tap)",
      "ip route delete unreachable 203.0.113.0/24 proto 240", "ip link set \(tap) mtu 1300",
      "ip link set \(tap) address 02:00:00:00:00:09", "ip route add 203.0.113.77 dev \(tap) proto 240",
      "ip tuntap add dev vpsdstranger mode tap", "echo 0 >/proc/sys/net/ipv4/conf/\(tap)/forwarding",
      "echo 0 >/proc/sys/net/ipv6/conf/all/forwarding", "echo 0 >/proc/sys/net/ipv4/conf/up0/forwarding",
    ]
  }

  @Test(
    "What is deleted or altered by hand is right again after one look, and a look at what is right changes nothing",
    arguments: kinds)
  func drift(_ link: RoutedInterface.Link) throws {
    try withGuests(Self.servers(10, 11, link)) { reconciler, a, b in
      try a.serve(80)
      let interfaces = [a.interface, b.interface]
      let quiet = try reconciler.reconcile { interfaces }
      #expect(quiet.links == 0 && quiet.others == 0 && !quiet.isFilterLoaded)
      for damage in Self.damages(to: a) {
        try host.run(damage)
        let repair = try reconciler.reconcile { interfaces }
        #expect(repair.isFilterLoaded || repair.links > 0 || repair.others > 0, "\(damage) is seen")
        let after = try reconciler.reconcile { interfaces }
        #expect(after.links == 0 && after.others == 0 && !after.isFilterLoaded, "\(damage) is mended at once")
        #expect(try world.answer("tcp", a.address, 80) == "answered", "\(damage)")
        #expect(try world.answer("tcp", a.address6, 80) == "answered", "\(damage)")
      }
      #expect(try !host.run("ip link").contains("vpsdstranger"))
    }
  }

  @Test("While traffic flows each of it is right again within half a minute, and what passed meanwhile is counted")
  func driftUnderTraffic() throws {
    try withGuests { reconciler, a, b in
      try a.serve(80)
      var guarded = a.interface
      guarded.firewall = Firewall(isEnabled: true, rules: [])
      let interfaces = [guarded, b.interface]
      let keeper = Keeper(reconciler, interfaces)
      defer { keeper.end() }
      try keeper.awaitLoaded(guarded)
      let traffic = "\(TestFiles.hosts)/traffic"
      let knocking = try RunningProgram(
        "nsenter", ["--net=\(World.namespace)", "python3", traffic, "knock", a.address, "80", "-"])
      defer { knocking.end() }
      func passed() throws -> [Int] {
        try knocking.write("")
        return try #require(knocking.line()).split(separator: " ").compactMap { Int($0) }
      }
      while try !reconciler.problems(interfaces).isEmpty { poll(nil, 0, 20) }
      _ = try passed()
      for damage in Self.damages(to: a) {
        try host.run(damage)
        let damaged = ContinuousClock.now
        // A look that finds nothing has begun when nothing was wrong, or a little earlier.
        var look = damaged
        while try !reconciler.problems(interfaces).isEmpty {
          try #require(ContinuousClock.now - damaged < .seconds(60), "\(damage)")
          poll(nil, 0, 20)
          look = .now
        }
        let (elapsed, counted) = ((ContinuousClock.now - damaged).milliseconds, try passed())
        print("\(damage): right within \(elapsed) ms, \(counted) packets passed a closed firewall")
        #expect(look - damaged < .seconds(30), "\(damage)")
        #expect(counted.count == 2 && counted[1] > 0)
      }
      poll(nil, 0, 300)
      let after = try passed()
      #expect(after.count == 2 && after[0] == 0 && after[1] > 0, "\(after)")
    }
  }

  @Test("What others do to tables of their own is not taken for damage, also after a change of one server")
  func otherTables() throws {
    try withGuests { reconciler, a, b in
      let interfaces = [a.interface, b.interface.with(Firewall(isEnabled: true, rules: []))]
      try reconciler.apply(interfaces[1], among: { interfaces })
      reconciler.refreshListing()
      try host.run("nft add table inet others; nft add chain inet others forward")
      let repair = try reconciler.reconcile { interfaces }
      #expect(!repair.isFilterLoaded)
      try host.run("nft delete table inet others; nft flush chain inet vpsd \(b.interface.tap)-in")
      #expect(try reconciler.reconcile { interfaces }.isFilterLoaded)
    }
  }

  @Test("Whoever flushes all packet filters of the host has them loaded again, and links that are down are up again")
  func watching() throws {
    try withGuests { reconciler, a, b in
      let interfaces = [a.interface, b.interface]
      try a.serve(80)
      let keeper = Keeper(reconciler, interfaces)
      defer { keeper.end() }
      for _ in 1...3 {
        try host.run("nft flush ruleset; ip link set \(a.interface.tap) down")
        let flushed = ContinuousClock.now
        while (try? host.run("nft list map inet vpsd egress; ip route show \(a.address)").contains("goto")) != true
          || (try? host.run("ip route show \(a.address)").isEmpty) != false
        {
          try #require(ContinuousClock.now - flushed < .seconds(60))
          poll(nil, 0, 5)
        }
        #expect(try world.answer("tcp", a.address, 80) == "answered")
      }
    }
  }

  @Test(
    "Whoever removes the packet filter while a look at all servers is under way has it loaded again before that ends")
  func besideALook() throws {
    try withGuests { reconciler, a, b in
      let interfaces = [a.interface, b.interface]
      let stop = StopSignal()
      let filterGuard = FilterGuard(reconciler, until: stop)
      defer {
        stop.set()
        filterGuard.awaitEnd()
      }
      let repair = try reconciler.reconcile {
        try host.run("nft flush ruleset")
        let flushed = ContinuousClock.now
        while PacketFilter.isThere() != true {
          try #require(ContinuousClock.now - flushed < .seconds(60))
          poll(nil, 0, 1)
        }
        return interfaces
      }
      #expect(!repair.isFilterLoaded && repair.links == 0 && repair.others == 0)
      let listing = try host.run("nft -s list ruleset")
      #expect(try reconciler.problems(interfaces).isEmpty, "\(listing)")
    }
  }

  @Test(
    "While the filter is away what its firewall closes passes, and is counted; once it is there again, nothing does"
  )
  func gap() throws {
    try withGuests { reconciler, a, b in
      try a.serve(80)
      var guarded = a.interface
      guarded.firewall = Firewall(isEnabled: true, rules: [])
      let interfaces = [guarded, b.interface]
      let keeper = Keeper(reconciler, interfaces)
      defer { keeper.end() }
      try keeper.awaitLoaded(guarded)
      let traffic = "\(TestFiles.hosts)/traffic"
      // How many were answered of how many that were sent.
      func knocks() throws -> [Int] {
        try world.run("\(traffic) knock \(a.address) 80 0.3").split(separator: " ").compactMap { Int($0) }
      }
      let before = try knocks()
      #expect(before.count == 2 && before[0] == 0 && before[1] > 0, "\(before)")
      let knocking = try RunningProgram(
        "nsenter", ["--net=\(World.namespace)", traffic, "knock", a.address, "80", "4"])
      defer { knocking.end() }
      var gaps: [Duration] = []
      for _ in 1...3 {
        try host.run("nft flush ruleset")
        let flushed = ContinuousClock.now
        while PacketFilter.isThere() != true {
          try #require(ContinuousClock.now - flushed < .seconds(60))
          poll(nil, 0, 1)
        }
        gaps.append(ContinuousClock.now - flushed)
      }
      let counted = try #require(knocking.line())
      let numbers = counted.split(separator: " ").compactMap { Int($0) }
      print("the packet filter was away three times: \(gaps.map(\.milliseconds)) ms; \(counted) packets passed")
      #expect(numbers.count == 2 && numbers[0] < numbers[1])
      let after = try knocks()
      #expect(after.count == 2 && after[0] == 0 && after[1] > 0, "\(after)")
    }
  }

  @Test("A server whose files cannot be found for a moment is held back, and not cut off for good")
  func missingFiles() throws {
    try withGuests { reconciler, a, b in
      try a.serve(80)
      _ = try reconciler.reconcile { [] }
      #expect(try world.ask("tcp", a.address, 80) != "answered")
      #expect(try host.run("ip link").contains(a.interface.tap))
      _ = try reconciler.reconcile { [a.interface, b.interface] }
      #expect(try world.answer("tcp", a.address, 80) == "answered")
    }
  }
}

/// Whoever keeps the network of a service that runs.
struct Keeper {
  private let reconciler: NetworkReconciler
  private let stop = StopSignal()
  private let ended = DispatchSemaphore(value: 0)

  init(_ reconciler: NetworkReconciler, _ interfaces: [RoutedInterface]) {
    self.reconciler = reconciler
    let (stop, ended) = (stop, ended)
    Thread.detachNewThread {
      reconciler.keep({ interfaces }, until: stop)
      ended.signal()
    }
  }

  func awaitLoaded(_ interface: RoutedInterface) throws {
    let began = ContinuousClock.now
    while !reconciler.isLoaded(interface) {
      try #require(ContinuousClock.now - began < .seconds(60))
      poll(nil, 0, 5)
    }
  }

  func end() {
    stop.set()
    ended.wait()
  }
}

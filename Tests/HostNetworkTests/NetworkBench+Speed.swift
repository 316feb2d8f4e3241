import Foundation
import Testing

@testable import HostNetwork

extension NetworkBench {
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
      let file = "\(NSTemporaryDirectory())/served-\(UUID().uuidString)"
      defer { unlink(file) }
      let start = "\(TestFiles.hosts)/speed serve \(guest.address) 5001 >\(file) 2>&1 &"
      let wait = "for i in $(seq 100); do grep -q ready \(file) && break; sleep 0.1; done; cat \(file)"
      try #require(try guest.run("\(start) \(wait)") == "ready")
    }
    try body()
  }

  @Test(
    "A server is as fast as its plan in both directions, another one at once when that changes, and others are not slowed"
  )
  func speed() throws {
    var slow = RoutedHostTests.interface(10)
    slow.speedMbit = 20
    try RoutedHostTests().withGuests(pool6: "2001:db8:10::/48", [slow, RoutedHostTests.interface(11)]) {
      reconciler, a, b in
      try withSpeedServers(a, b) {
        let limited = try speeds(of: a)
        let free = try speeds(of: b)
        #expect((14...22).contains(limited.taken) && (14...22).contains(limited.given), "\(limited)")
        #expect(free.taken > 40 && free.given > 40, "\(free)")
        slow.speedMbit = 5
        try reconciler.apply(slow, among: { [] })
        let slower = try speeds(of: a)
        #expect((3...6).contains(slower.taken) && (3...6).contains(slower.given), "\(slower)")
        slow.speedMbit = nil
        try reconciler.apply(slow, among: { [] })
        #expect(try speeds(of: a).taken > 40)
        print("speeds in Mbit/s: of 20: \(limited), of 5: \(slower), without a limit: \(free)")
      }
    }
  }
}

import Core
import Testing

@testable import HostNetwork

@Suite("Traffic of a machine on a routed host")
struct RoutedTrafficTests {
  private func counters(_ received: Int64, _ sent: Int64) -> NetworkCounters {
    NetworkCounters(receivedBytes: received, sentBytes: sent)
  }

  @Test("It is what has come since the machine's start, and what came before is not counted again")
  func sinceStart() {
    #expect(counters(900, 50).since(counters(900, 50)) == counters(0, 0))
    #expect(counters(1000, 70).since(counters(900, 50)) == counters(100, 20))
  }

  @Test("A counter that somebody has removed begins anew, and is never below nothing")
  func removed() {
    #expect(counters(30, 60).since(counters(900, 50)) == counters(30, 10))
  }
}

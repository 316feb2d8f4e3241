import Core
import Testing

@testable import HostNetwork

@Suite("A port that leads into the loopback network's namespace")
struct ForwardedListenerTests {
  private let own = ForwardedListener(outside: IPv4Address("127.80.0.1")!, port: 22)

  private func socket(_ end: String, _ user: String) -> ListeningSocket? {
    ListeningSocket(line: "  0: \(end) 00000000:0000 0A 00000000:00000000 00:00000000 00000000 \(user) 0 5 1")
  }

  @Test(
    "Is that of the server whose user listens there, on the address with the same end",
    arguments: ["0", "1884291073", "1901072640"])
  func own(user: String) throws {
    #expect(ForwardedListener(try #require(socket("010050F0:0016", user))) == own)
    #expect(own.inside == IPv4Address("240.80.0.1"))
  }

  @Test(
    "Is none where another server's user listens, or at another address",
    arguments: [("010050F0:0016", "1884291074"), ("0100007F:0016", "0"), ("00000000:0016", "0")])
  func others(end: String, user: String) throws {
    #expect(ForwardedListener(try #require(socket(end, user))) == nil)
  }

  @Test(
    "A line that tells of no listener is none",
    arguments: [
      "", "junk", "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode",
      "  0: 010050F0:0016 00000000:0000 0A 00000000:00000000 00:00000000 00000000",
      "  0: 010050F0:0016 0A00020A:C001 01 00000000:00000000 00:00000000 00000000 0 0 5 1",
      "  0: 010050F0:10016 00000000:0000 0A 00000000:00000000 00:00000000 00000000 0 0 5 1",
    ])
  func noSocket(line: String) {
    #expect(ListeningSocket(line: line) == nil)
  }
}

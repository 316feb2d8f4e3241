import Core
import Testing

@testable import HostNetwork

@Suite("A port that leads into the loopback network's namespace")
struct ForwardedListenerTests {
  private let own = ForwardedListener(outside: IPv4Address("127.80.0.1")!, port: 22)

  @Test(
    "Is that of the server whose user listens there, on the address with the same end",
    arguments: [
      "010050F0:0016 0", "010050F0:0016 1884291073", "010050F0:0016 1901072640",
    ])
  func own(line: String) {
    #expect(ForwardedListener(socket: line[...]) == own)
    #expect(own.inside == IPv4Address("240.80.0.1"))
  }

  @Test(
    "Is none where another server's user listens, or at another address",
    arguments: [
      "010050F0:0016 1884291074", "0100007F:0016 0", "010050F0:0016", "junk 0", "",
    ])
  func others(line: String) {
    #expect(ForwardedListener(socket: line[...]) == nil)
  }
}

import Core
import Testing

@Suite("Ports of a host that lead to servers")
struct PortForwardingTests {
  private static func address(_ text: String) -> IPv4Address { IPv4Address(text)! }

  private let forwarding = PortForwarding(
    address: address("198.51.100.2"), range: 20_000...20_011, guestPorts: [80, 22],
    servers: [address("10.1.0.1")...address("10.1.0.2"), address("10.2.0.5")...address("10.2.0.9")])

  @Test("Each server has its own, in the order of its address, and as many as there are ports of guests")
  func shares() throws {
    #expect(forwarding.capacity == 6 && forwarding.serverCount == 7)
    for (text, first) in [("10.1.0.1", 20_000), ("10.1.0.2", 20_002), ("10.2.0.5", 20_004), ("10.2.0.8", 20_010)] {
      let share = try #require(forwarding.share(of: Self.address(text)))
      #expect(share.address == Self.address("198.51.100.2") && share.sshPort == first + 1)
      #expect(share.ports.map(\.host) == [first, first + 1] && share.ports.map(\.guest) == [80, 22])
    }
  }

  @Test("What a program of the host has is none of them, and all is as it was otherwise")
  func taken() throws {
    let share = try #require(forwarding.share(of: Self.address("10.1.0.2"))).without([20_003, 20_004])
    #expect(share.ports.map(\.host) == [20_002] && share.sshPort == 20_003 && !share.hasSSH)
    let other = try #require(forwarding.share(of: Self.address("10.1.0.2"))).without([20_002])
    #expect(other.ports.map(\.host) == [20_003] && other.hasSSH)
  }

  @Test("As long as nobody knows the host's address there are none")
  func noAddress() {
    var forwarding = forwarding
    forwarding.address = nil
    #expect(forwarding.share(of: Self.address("10.1.0.1")) == nil && forwarding.capacity == 6)
  }

  @Test(
    "Whoever is no server, or comes after the last port, has none",
    arguments: ["10.1.0.0", "10.1.0.3", "203.0.113.1", "10.2.0.9"])
  func none(text: String) {
    #expect(forwarding.share(of: Self.address(text)) == nil)
  }
}

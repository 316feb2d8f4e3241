import Core
import Testing

@Suite("Networks of IPv6")
struct IPv6PoolTests {
  @Test("A pool is the networks of 64 bits in a shorter one, without the first")
  func networks() throws {
    let pool = try #require(IPv6Pool("2001:DB8:10::/56"))
    #expect(pool.description == "2001:db8:10::/56")
    #expect(pool.networks.lowerBound.description == "2001:db8:10:1::/64")
    #expect(pool.networks.upperBound.description == "2001:db8:10:ff::/64")
    #expect(pool.networks.lowerBound.serverAddress == "2001:db8:10:1::1")
    #expect(IPv6Pool("fd00:1234:5678::/48")?.networks.upperBound.description == "fd00:1234:5678:ffff::/64")
    #expect(IPv6Pool("2001:db8:0:2::/63")?.networks.lowerBound.description == "2001:db8:0:3::/64")
  }

  @Test(
    "Whatever is no network to give servers theirs of is refused",
    arguments: [
      "", "2001:db8::", "2001:db8::/64", "2001:db8::/15", "2001:db8::/128", "2001:db8::1/56", "2001:db8:0:1::/63",
      "2001:db8::/056", "2001:db8::/+5", "fe80::/56", "ff00::/56", "::/56", "::ffff:10.0.0.0/56", "10.0.0.0/24",
      "2001:db8::%eth0/56", "2001:db8::/56 ", String(repeating: "2001:db8::/56", count: 100_000),
    ])
  func refused(text: String) {
    #expect(IPv6Pool(text) == nil)
  }

  @Test("An address is read as the network that it is in, and a network only without host bits")
  func reading() {
    #expect(IPv6Network("2001:db8:10:1::5")?.description == "2001:db8:10:1::/64")
    #expect(IPv6Network("2001:db8:10:1::/64")?.number == 0x2001_0DB8_0010_0001)
    for text in ["2001:db8::5/64", "2001:db8::/48", "2001:db8::/64/64", "10.0.0.1", "", "::g"] {
      #expect(IPv6Network(text) == nil, "\(text)")
    }
  }

  @Test("The address of a network card is twelve digits in pairs")
  func hardwareAddress() {
    #expect(HardwareAddress(number: 0x56).description == "00:00:00:00:00:56")
    #expect(HardwareAddress(number: 0xFFFF_5601_0203_0A0B).description == "56:01:02:03:0a:0b")
    // Locally administered, and of one machine.
    #expect((1...100).allSatisfy { _ in HardwareAddress.random().number >> 40 & 3 == 2 })
  }
}

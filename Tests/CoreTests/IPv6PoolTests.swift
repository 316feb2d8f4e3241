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
      "", "2001:db8::", "2001:db8::5/64", "2001:db8::/15", "2001:db8::/128", "2001:db8::1/56", "2001:db8:0:1::/63",
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

  @Test("A pool of 64 bits or more is its single addresses, without the first")
  func addresses() throws {
    let pool = try #require(IPv6Pool("2001:db8:10::/64"))
    #expect(pool.description == "2001:db8:10::/64" && !pool.givesNetworks)
    #expect(pool.networks.lowerBound.description == "2001:db8:10::1")
    #expect(pool.networks.upperBound.description == "2001:db8:10:0:ffff:ffff:ffff:ffff")
    let part = try #require(IPv6Pool("2001:db8:10:0:8000::/66"))
    #expect(part.networks.lowerBound.serverAddress == "2001:db8:10:0:8000::1")
    #expect(part.networks.upperBound.serverAddress == "2001:db8:10:0:bfff:ffff:ffff:ffff")
    #expect(IPv6Pool("2001:db8::4/127")?.networks.lowerBound.description == "2001:db8::5")
    #expect(IPv6Pool("2001:db8::5/127") == nil)
  }

  @Test(
    "What a server would be given for an address is the address or the network that it is in, where the pool has it")
  func gifts() throws {
    let pool = try #require(AddressPool("203.0.113.0/26"))
    let networks = AddressPools.Pair(pool, ipv6: IPv6Pool("2001:db8:10::/56"))
    let addresses = AddressPools.Pair(pool, ipv6: IPv6Pool("2001:db8:10::/64"))
    func gift(_ text: String, _ pools: AddressPools.Pair) throws -> String? {
      pools.gift(for: try #require(ServerAddress(text)))?.description
    }
    #expect(try gift("203.0.113.5", networks) == "203.0.113.5")
    #expect(try gift("203.0.113.63", networks) == nil)
    #expect(try gift("2001:db8:10:7::25", networks) == "2001:db8:10:7::/64")
    #expect(try gift("2001:db8:10:7::/64", networks) == "2001:db8:10:7::/64")
    #expect(try gift("2001:db8:10::25", networks) == nil)
    #expect(try gift("2001:db8:10::25", addresses) == "2001:db8:10::25")
    #expect(try gift("2001:db8:10::/64", addresses) == nil)
    #expect(try gift("2001:db8:10::", addresses) == nil)
    #expect(try gift("2001:db8:11::1", addresses) == nil)
  }

  @Test("The address of a network card is twelve digits in pairs")
  func hardwareAddress() {
    #expect(HardwareAddress(number: 0x56).description == "00:00:00:00:00:56")
    #expect(HardwareAddress(number: 0xFFFF_5601_0203_0A0B).description == "56:01:02:03:0a:0b")
    // Locally administered, and of one machine.
    #expect((1...100).allSatisfy { _ in HardwareAddress.random().number >> 40 & 3 == 2 })
  }
}

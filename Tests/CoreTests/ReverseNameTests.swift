import Core
import Testing

@Suite("Names of addresses")
struct ReverseNameTests {
  @Test("A whole domain name is one, in small letters")
  func right() {
    let long = Array(repeating: String(repeating: "a", count: 62), count: 4).joined(separator: ".")
    for name in ["web01.example.com", "a.b", "1.2.example.com", "xn--e1afmkfd.xn--80akhbyknj4f", "\(long)"] {
      #expect(Hostname(ofAddress: name)?.name == name)
    }
    #expect(Hostname(ofAddress: "Web01.EXAMPLE.com")?.name == "web01.example.com")
  }

  @Test("Every other character is refused wherever it stands, and so is what only looks like a name")
  func wrong() {
    for value in (0...0x17F as ClosedRange<UInt32>) where Unicode.Scalar(value).map({ Self.isAllowed($0) }) == false {
      let scalar = String(Character(Unicode.Scalar(value)!))
      for name in [
        "\(scalar)web.example.com", "we\(scalar)b.example.com", "web.example.com\(scalar)", "web.exa\(scalar)mple.com",
      ] {
        #expect(Hostname(ofAddress: name) == nil, "U+\(String(value, radix: 16))")
      }
    }
    let tooLong = Array(repeating: String(repeating: "a", count: 63), count: 4).joined(separator: ".")
    for name in [
      "", ".", "web", "web.example.com.", ".example.com", "web..example.com", "-web.example.com", "web-.example.com",
      "203.0.113.10", "web.example.10", "web.0x10", "\(String(repeating: "a", count: 64)).example.com", tooLong,
      "web.example.com\nupdate add x.example.com. 60 A 192.0.2.1", "*.example.com", "_x.example.com",
      "web\u{200D}.example.com",
      "web。example.com", "web.example.com\0",
    ] {
      #expect(Hostname(ofAddress: name) == nil, "\(name)")
    }
  }

  private static func isAllowed(_ scalar: Unicode.Scalar) -> Bool {
    scalar.isASCII && (scalar.properties.isAlphabetic || ("0"..."9").contains(scalar) || scalar == "." || scalar == "-")
  }

  @Test("A pattern has its placeholder once, in the first label, and makes a name of every address")
  func pattern() throws {
    let pattern = try #require(NamePattern("<address>.VPS.example.com"))
    #expect(pattern.description == "<address>.vps.example.com")
    for (address, name) in [
      ("203.0.113.10", "203-0-113-10"), ("0.0.0.0", "0-0-0-0"), ("2001:db8:10:1::1", "2001-db8-10-1-0-0-0-1"),
      ("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "ffff-ffff-ffff-ffff-ffff-ffff-ffff-ffff"), ("::", "0-0-0-0-0-0-0-0"),
    ] {
      #expect(pattern.name(of: try #require(IPAddress(address)))?.name == "\(name).vps.example.com")
    }
    #expect(NamePattern("ip-<address>-x.example.com") != nil)
    let long = String(repeating: "a", count: 24)
    for text in [
      "", "vps.example.com", "<address>", "<address>.<address>.example.com", "a.<address>.example.com",
      "<address>_.example.com",
      "<address>.example.com.", "<address>.-a.com", "\(long)<address>\(long).example.com", "<address> .example.com",
    ] {
      #expect(NamePattern(text) == nil, "\(text)")
    }
  }

  @Test("Where DNS has the name of an address")
  func reverse() {
    #expect(IPAddress("203.0.113.10")?.reverseName == "10.113.0.203.in-addr.arpa")
    #expect(
      IPAddress("2001:db8:1:10::f1")?.reverseName
        == "1.f.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.1.0.0.1.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa")
    #expect(ServerAddress("2001:db8:10:1::/64")?.hostAddress == IPAddress("2001:db8:10:1::1"))
    #expect(ServerAddress("2001:db8:10:1::7")?.hostAddress == IPAddress("2001:db8:10:1::7"))
    #expect(ServerAddress("203.0.113.10")?.hostAddress == IPAddress("203.0.113.10"))
  }
}

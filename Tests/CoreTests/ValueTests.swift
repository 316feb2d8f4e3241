import Core
import Testing

@Suite("Values")
struct ValueTests {
  @Test(
    "Money is shown with at least two places and no needless ones",
    arguments: [
      (100_000_000, "100.00"), (5_000, "0.005"), (30_000, "0.03"), (0, "0.00"), (1, "0.000001"), (-1_500_000, "-1.50"),
      (3_360_000, "3.36"),
    ] as [(Int64, String)])
  func money(microunits: Int64, text: String) {
    #expect(Money(microunits: microunits).decimal == text)
  }

  @Test(
    "Times fall on the days of the calendar",
    arguments: [
      (0, [1970, 1, 1, 0, 0, 0]), (951_782_400, [2000, 2, 29, 0, 0, 0]), (1_736_519_400, [2025, 1, 10, 14, 30, 0]),
      (1_798_761_599, [2026, 12, 31, 23, 59, 59]), (-1, [1969, 12, 31, 23, 59, 59]),
    ] as [(Int64, [Int])])
  func calendar(seconds: Int64, expected: [Int]) {
    let time = Timestamp(millisecondsSinceEpoch: seconds * 1000).calendar
    #expect([time.year, time.month, time.day, time.hour, time.minute, time.second] == expected)
  }

  @Test(
    "Host names are those of RFC 1123", arguments: ["a", "web-1", "Web01.Example.com", "1a.example", "xn--e1afmkfd.bg"])
  func hostnames(text: String) {
    #expect(Hostname(text)?.name == text)
  }

  @Test(
    "What is no host name is refused",
    arguments: [
      "", ".", "a.", ".a", "a..b", "-a", "a-", "a_b", "a b", "é", "a\n", "1.2.3.4", "example.1",
      String(repeating: "a", count: 64), Array(repeating: "abcdefg", count: 32).joined(separator: "."),
    ])
  func noHostnames(text: String) {
    #expect(Hostname(text) == nil)
  }

  @Test("A server without a host name is called by its name, cut to a label")
  func defaultHostname() throws {
    let long = try #require(ServerName(String(repeating: "a", count: 62) + "-b"))
    #expect(Hostname(serverName: long).name == String(repeating: "a", count: 62))
  }

  @Test("Server names are letters, digits and hyphens", arguments: ["a", "A-1", String(repeating: "a", count: 64)])
  func names(text: String) {
    #expect(ServerName(text)?.name == text)
  }

  @Test(
    "What is no server name is refused",
    arguments: ["", "-", "a-", "a.b", "a b", "ä", String(repeating: "a", count: 65)])
  func noNames(text: String) {
    #expect(ServerName(text) == nil)
  }

  @Test("Addresses are read in dotted decimal only")
  func addresses() {
    #expect(IPv4Address("127.80.0.11")?.description == "127.80.0.11")
    for text in ["", "1.2.3", "1.2.3.4.5", "256.0.0.1", "1.2.3.+4", "01234.0.0.1", "1.2.3.", "a.b.c.d"] {
      #expect(IPv4Address(text) == nil)
    }
  }

  @Test("A pool has neither its network's address nor the broadcast address")
  func pools() throws {
    let pool = try #require(AddressPool("127.80.0.0/16"))
    #expect(pool.first.description == "127.80.0.1")
    #expect(pool.last.description == "127.80.255.254")
    #expect(pool.isLoopback)
    for text in ["127.80.0.1/16", "127.80.0.0", "127.80.0.0/31", "127.0.0.0/7", "x/16"] {
      #expect(AddressPool(text) == nil)
    }
  }

  @Test("A permission covers what it names, and a star covers all")
  func permissions() throws {
    let readServers = Permission(.servers, .read)
    for text in ["servers:read", "servers:*", "*:read", "*:*"] {
      #expect(try #require(Permission(text)).covers(readServers))
    }
    for text in ["servers:write", "ssh_keys:*", "backups:read"] {
      #expect(try !#require(Permission(text)).covers(readServers))
    }
    for text in ["", "servers", "servers:", "servers:read:x", "moon:read"] {
      #expect(Permission(text) == nil)
    }
  }

  @Test("No star covers the operator's permission, and it covers nothing else")
  func operatorPermission() throws {
    let operators = try #require(Permission("operator:*"))
    for action in [Permission.Action.read, .write, .any] {
      let wanted = Permission(.operator, action)
      for text in ["*:*", "*:read", "*:write", "servers:*"] {
        #expect(try !#require(Permission(text)).covers(wanted))
      }
      #expect(operators.covers(wanted))
    }
    for resource in Permission.Resource.allCases where resource != .operator {
      #expect(!operators.covers(Permission(resource, .read)))
    }
  }

  @Test("Used disk and bandwidth are rounded up to whole units")
  func usage() {
    let usage = ResourceUsage(
      cpuPermille: 0, memoryUsedMiB: 0, diskUsedBytes: (1 << 30) + 1, month: 202_601, receivedBytes: 1,
      sentBytes: 2_000_000_000)
    #expect(usage.diskUsedGiB == 2)
    #expect(usage.bandwidthUsedGB == 2)
    #expect(ResourceUsage.none.diskUsedGiB == 0)
  }
}

import Core
import Synchronization
import TestSupport
import Testing

@testable import ReverseDNS

/// With each DNS server that Debian has, set up as docs/reverse-dns.md says.
@Suite("Names of addresses at a real DNS server", .serialized)
struct DynamicZonesTests {
  private static let zones = [
    "113.0.203.in-addr.arpa": "7 PTR old.example.com.\n7 PTR older.example.com.",
    "1.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa": "",
    // A provider's zone with a part of it that is delegated (RFC 2317), and one of which only the part is here.
    "100.51.198.in-addr.arpa": "0-63 NS ns.example.net.\n10 CNAME 10.0-63\n11 CNAME 11.0-63",
    "0-63.100.51.198.in-addr.arpa": "",
    "64/26.2.0.192.in-addr.arpa": "",
    "example.com": "web A 203.0.113.10\nweb AAAA 2001:db8:1:10::1\nwww CNAME web",
  ]

  /// As many as most of the tests need.
  private static let few = zones.filter { $0.key == "113.0.203.in-addr.arpa" }

  /// They wait longer than the service, as long as a machine with too much to do may need.
  private static func zones(_ server: TestNameServer, key: String? = nil) throws -> DynamicZones {
    DynamicZones(
      server: try #require(NameServerAddress("127.0.0.1:\(server.port)")), keyFile: key ?? server.keyFile, ttl: 600,
      patience: DynamicZones.Patience(start: .seconds(60), answer: .seconds(20)))
  }

  private static func address(_ text: String) throws -> IPAddress { try #require(IPAddress(text)) }

  @Test("A name is said, is another, and goes, wherever its zone begins", arguments: TestNameServer.Kind.allCases)
  func life(kind: TestNameServer.Kind) async throws {
    let server = try await TestNameServer(kind, zones: Self.zones)
    let zones = try Self.zones(server)
    let texts = ["203.0.113.7", "203.0.113.10", "2001:db8:1:10::1", "198.51.100.10", "192.0.2.70"]
    // What the address of a part is called stands in that part; nobody here has the aliases to 64/26.
    let questions = [
      "7.113.0.203.in-addr.arpa.", "10.113.0.203.in-addr.arpa.", "\(try Self.address(texts[2]).reverseName).",
      "10.0-63.100.51.198.in-addr.arpa.", "70.64/26.2.0.192.in-addr.arpa.",
    ]
    let addresses = try texts.map(Self.address)
    for name in ["web", "web.a-b", nil] {
      let hostname = name.flatMap { Hostname(ofAddress: "\($0).example.com") }
      let said = Dictionary(uniqueKeysWithValues: addresses.map { ($0, hostname) })
      for _ in 0..<(name == "web" ? 2 : 1) {
        let troubles = try await zones.say(said)
        #expect(troubles == [:])
      }
      let standing = hostname.map { "\($0).\n" } ?? ""
      for question in questions {
        let found = try await server.dig(question, "PTR")
        #expect(found == standing, "\(question)")
      }
      let wanted = Set([hostname?.name].compactMap { $0 })
      let known = Dictionary(uniqueKeysWithValues: addresses.map { ($0, wanted) })
      let found = try await zones.names(of: addresses)
      #expect(found == known)
    }
    let alias = try await server.dig("10.100.51.198.in-addr.arpa.", "CNAME")
    #expect(alias == "10.0-63.100.51.198.in-addr.arpa.\n")
    let servers = try await server.dig("113.0.203.in-addr.arpa.", "NS")
    #expect(servers == "ns.example.net.\n")
  }

  @Test("Every name that a customer can choose is one that a server takes", arguments: TestNameServer.Kind.allCases)
  func names(kind: TestNameServer.Kind) async throws {
    let server = try await TestNameServer(kind, zones: Self.few)
    let label = String(repeating: "a", count: 63)
    let names = [
      "\([label, label, label].joined(separator: ".")).\(String(repeating: "b", count: 61))", "xn--zzzz.example.com",
      "0.0.0.1a", "a--b.c", "127.0.0.1.in-addr.arpa", "localhost.localdomain", "in.ptr.ns", "1.x",
    ]
    let addresses = try (1...names.count).map { try Self.address("203.0.113.\($0)") }
    let hostnames = try names.map { try #require(Hostname(ofAddress: $0), "\($0)") }
    let said: [IPAddress: Hostname?] = Dictionary(uniqueKeysWithValues: zip(addresses, hostnames.map { $0 }))
    let troubles = try await Self.zones(server).say(said)
    #expect(troubles == [:])
    let standing = try await Self.zones(server).names(of: addresses)
    for (address, name) in zip(addresses, names) { #expect(standing[address] == [name], "\(name)") }
  }

  @Test("The key can do nothing but that, and nobody can without it", arguments: TestNameServer.Kind.allCases)
  func key(kind: TestNameServer.Kind) async throws {
    let server = try await TestNameServer(kind, zones: Self.few)
    let (zone, name) = ("113.0.203.in-addr.arpa.", "9.113.0.203.in-addr.arpa.")
    try await server.update("add \(name) 60 PTR a.example.com.", in: zone, key: server.keyFile)
    for (type, data) in [("A", "192.0.2.1"), ("TXT", "x"), ("NS", "a.example.com.")] {
      try await server.update("add \(name) 60 \(type) \(data)", in: zone, key: server.keyFile)
      #expect(try await server.dig(name, type) == "", "\(type)")
    }
    try await server.update("delete \(zone) NS", in: zone, key: server.keyFile)
    expectEqual(try await server.dig(zone, "NS"), "ns.example.net.\n")
    for key in [nil, server.wrongKeyFile] {
      try await server.update("add \(name) 60 PTR b.example.com.", in: zone, key: key)
    }
    expectEqual(try await server.name(of: "203.0.113.9"), "a.example.com.")
    // With a wrong key the server says nothing that is believed.
    let address = try Self.address("203.0.113.9")
    let refused = try await Self.zones(server, key: server.wrongKeyFile).say([address: Hostname("b.example.com")])
    let reason = "127.0.0.1:\(server.port) does not accept the key in \(server.wrongKeyFile)"
    #expect(refused == [address: .refused(reason)])
    let obstacles = try await Self.zones(server, key: server.wrongKeyFile).obstacles(to: [address])
    #expect(obstacles == ZoneObstacles(isKeyRefused: true))
    expectEqual(try await Self.zones(server, key: server.wrongKeyFile).names(of: [address]), [:])
    expectEqual(try await server.name(of: "203.0.113.9"), "a.example.com.")
  }

  @Test("A change that the server calls well and leaves out is told as what it is")
  func silence() async throws {
    let server = try await TestNameServer(.powerdns, zones: Self.few, isSilent: true)
    let address = try Self.address("203.0.113.9")
    let refused = try await Self.zones(server).say([address: Hostname("a.example.com")])
    let reason = "127.0.0.1:\(server.port) says that all is well, but does not know of it"
    #expect(refused == [address: .refused(reason)])
  }

  @Test("A server that cannot write a change has failed and refused nothing, and takes all once it can")
  func failure() async throws {
    let server = try await TestNameServer(.bind, zones: Self.few)
    let addresses = try (1...120).map { try Self.address("203.0.113.\($0)") }
    let names = Dictionary(uniqueKeysWithValues: addresses.map { ($0, Hostname("a.example.com")) })
    try server.setJournalsBlocked(true)
    let troubles = try await Self.zones(server).say(names)
    #expect(troubles == names.mapValues { _ in .failed("127.0.0.1:\(server.port) says SERVFAIL") })
    try server.setJournalsBlocked(false)
    let later = try await Self.zones(server).say(names)
    #expect(later == [:])
  }

  @Test(
    "A zone that is not loaded is one that is there all the same, and holds up no other",
    arguments: [TestNameServer.Kind.knot, .bind])
  func brokenZone(kind: TestNameServer.Kind) async throws {
    let server = try await TestNameServer(kind, zones: Self.few, broken: "2.0.192.in-addr.arpa")
    let (here, there) = (try Self.address("203.0.113.12"), try Self.address("192.0.2.1"))
    let name = Hostname("a.example.com")
    let troubles = try await Self.zones(server).say([here: name, there: name])
    #expect(troubles == [there: .failed("127.0.0.1:\(server.port) says SERVFAIL")])
    let said = try await server.name(of: "203.0.113.12")
    #expect(said == "a.example.com.")
    await #expect(throws: UnreachableNameServer.self) { _ = try await Self.zones(server).obstacles(to: [here, there]) }
  }

  @Test("A name that a server has failed with costs it one question, and none about the zones that it may also be in")
  func oneQuestion() async throws {
    let server = try await TestNameServer(.knot, zones: Self.few, broken: "2.0.192.in-addr.arpa")
    let relay = try SlowRelay(to: server.port, delayMicroseconds: 0)
    defer { relay.end() }
    let zones = DynamicZones(
      server: try #require(NameServerAddress("127.0.0.1:\(relay.port)")), keyFile: server.keyFile, ttl: 600)
    let there = try Self.address("192.0.2.1")
    let troubles = try await zones.say([there: Hostname("a.example.com")])
    #expect(troubles == [there: .failed("127.0.0.1:\(relay.port) says SERVFAIL")])
    #expect(relay.count == 1)
  }

  @Test("Only an answer that somebody vouches for, or a refusal, says that a name is not there")
  func answers() throws {
    func answer(_ flags: String, status: String = "NXDOMAIN", before: String = "") throws -> Answer {
      try #require(
        Answer.all(
          in: "\(before);; ->>HEADER<<- opcode: QUERY, status: \(status), id: 1\n;; flags: \(flags); QUERY: 1\n"
        ).last)
    }
    let unsigned = ";; Couldn't verify signature: expected a TSIG or SIG(0)\n"
    #expect(try answer("qr aa").failure == nil)
    #expect(try answer("qr", status: "REFUSED", before: unsigned).failure == nil)
    #expect(try answer("qr", status: "SERVFAIL").failure == "says SERVFAIL")
    #expect(try answer("qr aa", before: unsigned).failure == "answers without a valid signature")
    // Its own question, with a signature that is right.
    #expect(try answer("ad", status: "NOERROR").failure == "does not answer")
  }

  @Test("Those that it has no zone for are refused, and all others said", arguments: TestNameServer.Kind.allCases)
  func nowhere(kind: TestNameServer.Kind) async throws {
    let server = try await TestNameServer(kind, zones: Self.few)
    let (here, nowhere) = (try Self.address("203.0.113.12"), try Self.address("192.0.2.1"))
    let name = Hostname("a.example.com")
    let refused = try await Self.zones(server).say([here: name, nowhere: name])
    #expect(refused == [nowhere: .refused("127.0.0.1:\(server.port) has no zone for 1.2.0.192.in-addr.arpa")])
    let said = try await server.name(of: "203.0.113.12")
    #expect(said == "a.example.com.")
    let found = try await Self.zones(server).names(of: [here, nowhere])
    #expect(found == [here: ["a.example.com"]])
    let obstacles = try await Self.zones(server).obstacles(to: [here, nowhere])
    #expect(obstacles == ZoneObstacles(homeless: [nowhere]))
  }

  @Test(
    "A server that dies in the middle of 250 changes is away until it is back, and then told all of them",
    arguments: TestNameServer.Kind.allCases)
  func death(kind: TestNameServer.Kind) async throws {
    let server = try await TestNameServer(kind, zones: Self.few)
    let zones = try Self.zones(server)
    func names(_ word: String) throws -> [IPAddress: Hostname?] {
      Dictionary(
        uniqueKeysWithValues: try (1...250).map { number in
          (try Self.address("203.0.113.\(number)"), Hostname("\(word)-\(number).example.com"))
        })
    }
    let first = try await zones.say(try names("first"))
    #expect(first == [:], "\(server.log)")
    let last = try await server.name(of: "203.0.113.250")
    #expect(last == "first-250.example.com.")
    let second = try names("second")
    let isOver = Atomic(false)
    let saying = Task {
      defer { isOver.store(true, ordering: .relaxed) }
      return try await zones.say(second)
    }
    while try await server.name(of: "203.0.113.1") == "first-1.example.com.", !isOver.load(ordering: .relaxed) {}
    server.kill()
    _ = try? await saying.value
    await #expect(throws: UnreachableNameServer.self) { _ = try await zones.say(second) }
    await #expect(throws: UnreachableNameServer.self) { _ = try await zones.names(of: Array(second.keys)) }
    try await server.start()
    // Each is called one thing, whichever of both.
    let between = try await zones.names(of: Array(second.keys))
    #expect(between.count == 250)
    #expect(between.filter { $0.value.count != 1 } == [:])
    let refused = try await zones.say(second)
    #expect(refused == [:], "\(server.log)")
    let after = try await zones.names(of: Array(second.keys))
    #expect(after == second.mapValues { Set([$0?.name].compactMap { $0 }) })
  }

  @Test("A server whose answers take their time is asked for many names all the same")
  func farAway() async throws {
    let server = try await TestNameServer(.knot, zones: Self.few)
    let addresses = try (1...60).map { try Self.address("203.0.113.\($0)") }
    let relay = try SlowRelay(to: server.port, delayMicroseconds: 25_000)
    defer { relay.end() }
    // The answers of one run take longer than it has to start, which no number of questions may be held to.
    let patience = DynamicZones.Patience(start: .milliseconds(500), answer: .seconds(20))
    let zones = DynamicZones(
      server: try #require(NameServerAddress("127.0.0.1:\(relay.port)")), keyFile: server.keyFile, ttl: 600,
      patience: patience)
    expectEqual(try await zones.obstacles(to: addresses), ZoneObstacles(homeless: []))
    #expect(relay.count >= 60)
    // As long as dig waits where it has to ask twice each time.
    for count in [1, 25] { #expect(DynamicZones.Patience().limit(forQuestions: count) > .seconds(4 * count)) }
  }

  @Test("Where a name leads is asked of the resolver, through its aliases; one that is away tells nothing")
  func lookup() async throws {
    let server = try await TestNameServer(.knot, zones: Self.zones.filter { $0.key == "example.com" })
    let resolver: NameServerAddress = try #require(NameServerAddress("127.0.0.1:\(server.port)"))
    let lookup = DigLookup(resolver: resolver)
    let (four, six) = (try Self.address("203.0.113.10"), try Self.address("2001:db8:1:10::1"))
    for name in ["web.example.com", "www.example.com"] {
      let name = try #require(Hostname(name))
      #expect(try await lookup.leads(name, to: four))
      #expect(try await lookup.leads(name, to: six))
      #expect(try await !lookup.leads(name, to: Self.address("203.0.113.11")))
    }
    #expect(try await !lookup.leads(try #require(Hostname("mail.example.com")), to: four))
    server.kill()
    await #expect(throws: UnreachableNameServer.self) {
      _ = try await lookup.leads(try #require(Hostname("web.example.com")), to: four)
    }
  }

  @Test("Where a server is asked is an address, with a port where it is not 53")
  func addresses() {
    for text in ["192.0.2.53", "192.0.2.53:5353", "2001:db8::53", "[2001:db8::53]:5353"] {
      #expect(NameServerAddress(text)?.description == text)
    }
    #expect(NameServerAddress("[2001:db8::53]:53")?.description == "2001:db8::53")
    for text in [
      "", "ns.example.com", "192.0.2.53:", "192.0.2.53:0", "192.0.2.53:65536", "[192.0.2.53]:53", "-x", "1.2.3.4 5",
    ] {
      #expect(NameServerAddress(text) == nil, "\(text)")
    }
  }

  @Test("Nothing that a server says is believed to be the name of a zone but a name for addresses")
  func places() {
    let owner = "10.113.0.203.in-addr.arpa."
    #expect(Place(zone: "113.0.203.in-addr.arpa.", owner: owner) != nil)
    for zone in ["arpa.", "in-addr.arpa.", ".", "example.com.", "x\nsend.in-addr.arpa.", "13.0.203.in-addr.arpa."] {
      #expect(Place(zone: zone, owner: owner) == nil, "\(zone)")
    }
    let strange = #"a\032b.113.0.203.in-addr.arpa."#
    #expect(Place(zone: "113.0.203.in-addr.arpa.", owner: strange) == nil)
  }
}

import Core
import Foundation
import Logging
import NIOHTTP1
import Synchronization
import TestSupport
import Testing

@testable import IncusDriver

/// Several hosts in one cluster, which is one server here.
@Suite("Members of one cluster are hosts beside each other")
struct MemberTests {
  private static let installation = UUID()

  /// The instances that the server tells of, as name, member and what is marked.
  private static func list(_ instances: [(machine: UUID, location: String, mark: String?)]) -> String {
    let items = instances.map { machine, location, mark in
      var config = [
        "user.vpsd.installation": installation.text, "user.vpsd.machine": machine.text, "user.vpsd.defined": "true",
      ]
      config["user.vpsd.member"] = mark
      return JSONBody.Value.object([
        "name": .text("vps-\(machine.text)"), "status_code": .number(103), "location": .text(location),
        "config": .texts(config), "devices": .object([:]),
      ])
    }
    let bytes = (try? JSONBody(["list": .list(items)]).bytes) ?? []
    return String(String(decoding: bytes, as: UTF8.self).dropFirst(#"{"list":"#.count).dropLast())
  }

  private static func hosts(_ names: [String], _ endpoints: [IncusEndpoint]) -> [IncusDriver] {
    let cluster = IncusCluster(
      endpoints: IncusEndpoints(endpoints), project: "default", installation: installation, clock: SystemClock(),
      dialect: .incus)
    return names.map { name in
      var configuration = IncusDriver.Configuration(installation: installation)
      configuration.member = name
      return IncusDriver(
        configuration: configuration, cluster: cluster, clock: SystemClock(), logger: Logger(label: "incus"))
    }
  }

  private static func reads(_ server: ScriptedServer, recursion: Int) -> Int {
    server.requests.count { $0.path.contains("/instances?recursion=\(recursion)") }
  }

  @Test(
    "Each host sees its own servers, wherever an operator has moved them, and one list is read for all who ask at once")
  func split() async throws {
    let (first, second, moved) = (UUID(), UUID(), UUID())
    let text = Self.list([(first, "m1", "m1"), (second, "m2", nil), (moved, "m1", "m2")])
    let script: ScriptedServer.Script = {
      $0.path.contains("recursion=1") && !$0.path.contains("images") ? .sync(text) : .sync("[]")
    }
    try await ScriptedServer.with(script) { server, endpoint async throws in
      let hosts = Self.hosts(["m1", "m2", "m3", "m4", "m5"], [endpoint])
      let seen = try await withThrowingTaskGroup(of: (Int, Set<UUID>).self) { group in
        for (number, host) in hosts.enumerated() {
          group.addTask { (number, Set(try await host.observe().powers.keys)) }
        }
        return try await group.reduce(into: [:]) { $0[$1.0] = $1.1 }
      }
      #expect(seen == [0: [first], 1: [second, moved], 2: [], 3: [], 4: []])
      // One that goes on, and the next, which all others share.
      #expect(Self.reads(server, recursion: 1) <= 2)
      // What is measured is asked for by those who have something.
      #expect(Self.reads(server, recursion: 2) <= 2)
    }
  }

  @Test("Of a member that is away the list has names alone: its servers are not to be seen, and nobody else's remnants")
  func away() async throws {
    let (here, lost, unknown) = (UUID(), UUID(), UUID())
    let isLost = Mutex(false)
    @Sendable func named(_ machine: UUID) -> String {
      #"{"name":"vps-\#(machine.text)","status_code":112,"location":"m2","config":null,"devices":null}"#
    }
    let copy = JSONBody([
      "fingerprint": .text("f"), "size": .number(1), "aliases": .list([]),
      "properties": .texts([
        "vpsd.installation": Self.installation.text, "vpsd.machine": unknown.text, "vpsd.copy": UUID().text,
      ]),
    ])
    let copies = "[\(String(decoding: try copy.bytes, as: UTF8.self))]"
    let script: ScriptedServer.Script = { request in
      if request.path.hasPrefix("/1.0/images") { return .sync(copies) }
      guard request.path.hasPrefix("/1.0/instances?recursion=1") else { return .sync("[]") }
      guard isLost.withLock({ $0 }) else { return .sync(Self.list([(here, "m1", "m1"), (lost, "m2", "m2")])) }
      let seen = Self.list([(here, "m1", "m1")]).dropLast()
      return .sync("\(seen),\(named(lost)),\(named(unknown))]")
    }
    try await ScriptedServer.with(script) { _, endpoint async throws in
      let hosts = Self.hosts(["m1", "m2"], [endpoint])
      #expect(try await hosts[1].observe().powers[lost] == .running)
      isLost.withLock { $0 = true }
      #expect(try await hosts[0].observe().powers == [here: .running])
      #expect(try await hosts[1].observe().powers == [lost: .unreachable])
      // What only a look at itself would tell is not there to be looked at.
      await #expect(throws: DriverError.self) { _ = try await hosts[1].power(of: lost) }
    }
  }

  @Test("A server is made on the member whose host it has, and says so")
  func create() async throws {
    let machine = UUID()
    let isMade = Mutex(false)
    let script: ScriptedServer.Script = { request in
      switch (request.method, String(request.path.prefix { $0 != "?" })) {
      case ("GET", "/1.0/instances/vps-\(machine.text)"):
        guard isMade.withLock({ $0 }) else { return .error(404, "Instance not found") }
        return .sync(String(Self.list([(machine, "m2", "m2")]).dropFirst().dropLast()))
      case ("GET", "/1.0/images"):
        return .sync(#"[{"fingerprint":"f00","size":1,"aliases":[{"name":"debian-12/1"}],"properties":{}}]"#)
      case ("POST", "/1.0/instances"):
        isMade.withLock { $0 = true }
        return .operation("7")
      case ("GET", let path) where path.hasPrefix("/1.0/operations/"): return .ended("7")
      default: return .operation("7")
      }
    }
    try await ScriptedServer.with(script) { server, endpoint async throws in
      try await Self.hosts(["m1", "m2"], [endpoint])[1].ensureDefined(try InstanceTests.specification(machine))
      let creation = try #require(server.requests.first { $0.method == "POST" })
      #expect(creation.path == "/1.0/instances?target=m2&project=default")
      #expect(creation.body.contains(#""user.vpsd.member":"m2""#))
      // Of what all members do nobody asks where it went well: one of them may be silent.
      #expect(!server.requests.contains { $0.path.hasPrefix("/1.0/operations?") })
    }
  }

  @Test("While a member keeps the list waiting, the others are what they were, and are not away")
  func stalled() async throws {
    let reading = SharedReading(clock: SystemClock()) { [answers = Answers([7])] in try await answers.next() }
    #expect(try await reading.answer(patience: .seconds(60)).value == 7)
    let waiting = try await reading.answer(patience: .milliseconds(20))
    #expect(waiting.value == 7 && waiting.isOld)
    #expect(try await reading.value(within: .milliseconds(20)) == nil)
  }

  @Test("Who asks while a list is read gets the next one: what began before the question is no answer")
  func fresh() async throws {
    let (begun, begin) = AsyncStream.makeStream(of: Void.self)
    let (allowed, allow) = AsyncStream.makeStream(of: Void.self)
    let count = Mutex(0)
    let reading = SharedReading(clock: SystemClock()) {
      let number = count.withLock { count in
        count += 1
        return count
      }
      begin.yield()
      if number == 1 { for await _ in allowed { break } }
      return number
    }
    async let first = reading.answer(patience: .seconds(60))
    for await _ in begun { break }
    async let second = reading.answer(patience: .seconds(60))
    async let third = reading.value(within: .seconds(60))
    allow.yield()
    #expect(try await first.value == 1)
    #expect(try await second.value >= 2)
    #expect(try await third ?? 0 >= 2)
  }

  @Test("Where nothing was read yet, the first list is waited for, and its failure is told")
  func nothingYet() async throws {
    let failing = SharedReading<Int>(clock: SystemClock()) { throw IncusError.unavailable("no") }
    await #expect(throws: IncusError.unavailable("no")) { try await failing.answer(patience: .zero) }
  }

  @Test("The next endpoint is asked where one is away, is silent, or is another's; a change is asked for once")
  func failover() async throws {
    try await withTemporaryFolder { folder in
      let (cluster, other, client) = (
        try TestIdentity("cluster", in: folder), try TestIdentity("other", in: folder),
        try TestIdentity("client", in: folder)
      )
      func endpoint(_ port: Int) throws -> IncusEndpoint {
        try .https(
          host: "127.0.0.1", port: port, certificate: client.certificate, key: client.key,
          serverCertificate: cluster.certificate)
      }
      try await ScriptedServer.withTLS(other, { _ in .operation("1") }) { stranger, strangersPort async throws in
        try await ScriptedServer.withTLS(cluster, { _ in .operation("7") }) { server, port async throws in
          // Port 1 is nobody's.
          let client = IncusClient(
            endpoints: IncusEndpoints([try endpoint(1), try endpoint(strangersPort), try endpoint(port)]),
            project: "default")
          let change = IncusClient.Request(method: .PUT, path: IncusPath("x"), body: [], deadline: .seconds(60))
          #expect(try await client.send(change)?.id == "7")
          #expect(server.requests.count == 1 && stranger.requests.isEmpty)
          // It is the one that is asked from now on.
          #expect(client.endpoints.attempts.map(\.number) == [2, 0, 1])
        }
        let lost = IncusClient(
          endpoints: IncusEndpoints([try endpoint(strangersPort), try endpoint(1)]), project: "default")
        await #expect(throws: IncusError.wrongCertificate) {
          _ = try await lost.send(.init(method: .PUT, path: IncusPath("x"), body: [], deadline: .seconds(60)))
        }
      }
    }
  }

  @Test("A member that took a question and does not answer it is not asked the next one")
  func silent() async throws {
    try await ScriptedServer.with({ _ in .silence }) { _, first async throws in
      try await ScriptedServer.with({ _ in .error(503, "starting") }) { _, second async throws in
        try await ScriptedServer.with({ _ in .sync("{}") }) { _, third async throws in
          let client = IncusClient(endpoints: IncusEndpoints([first, second, third]), project: "default")
          func ask(within deadline: Duration = .seconds(60)) async throws {
            _ = try await client.send(.init(method: .PUT, path: IncusPath("x"), deadline: deadline))
          }
          await #expect(throws: IncusError.noAnswer(within: .seconds(1))) { try await ask(within: .seconds(1)) }
          await #expect(throws: IncusError.unavailable("starting")) { try await ask() }
          try await ask()
          #expect(client.endpoints.attempts.first?.number == 2)
        }
      }
    }
  }
}

/// Gives these, and then nothing more, ever.
private final class Answers: Sendable {
  private let rest: Mutex<[Int]>

  init(_ answers: [Int]) {
    rest = Mutex(answers)
  }

  func next() async throws -> Int {
    let next = rest.withLock { $0.isEmpty ? nil : $0.removeFirst() }
    guard let next else {
      try await Task.sleep(for: .seconds(3600))
      return 0
    }
    return next
  }
}

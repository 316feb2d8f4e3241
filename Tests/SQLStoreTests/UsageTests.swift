import Core
import SQLStore
import TestSupport
import Testing

@Suite struct UsageTests {
  private func sample(
    _ server: Server, cpu: Int = 125, memory: Int = 300, disk: Int64? = 1 << 30, received: Int64, sent: Int64
  ) -> UsageSample {
    UsageSample(
      serverID: server.id, cpuPermille: cpu, memoryUsedMiB: memory, diskUsedBytes: disk,
      network: NetworkCounters(receivedBytes: received, sentBytes: sent), serverUpdatedAt: server.updatedAt)
  }

  @Test("A server that was never measured has no usage")
  func none() async throws {
    try await withStore { fixture in
      let server = try await fixture.activeServer()
      #expect(try await fixture.store.usage(of: server.id) == nil)
    }
  }

  @Test("Levels are the last ones, and traffic is added up, over a counter that began anew too")
  func adding() async throws {
    try await withStore { fixture in
      let server = try await fixture.activeServer()
      let store = fixture.store
      try await store.recordUsage([sample(server, received: 1000, sent: 10)], at: Fixture.now)
      try await store.recordUsage([sample(server, disk: nil, received: 1500, sent: 30)], at: Fixture.now)
      try await store.recordUsage([sample(server, cpu: 7, memory: 8, received: 200, sent: 40)], at: Fixture.now)
      let blind = UsageSample(
        serverID: server.id, cpuPermille: 9, memoryUsedMiB: 10, diskUsedBytes: nil, network: nil,
        serverUpdatedAt: server.updatedAt)
      try await store.recordUsage([blind], at: Fixture.now)
      #expect(
        try await store.usage(of: server.id)
          == ResourceUsage(
            cpuPermille: 9, memoryUsedMiB: 10, diskUsedBytes: 1 << 30, month: 202601, receivedBytes: 1700,
            sentBytes: 40))
    }
  }

  @Test("A new month begins at nothing, and a clock that is set back takes nothing away")
  func month() async throws {
    try await withStore { fixture in
      let server = try await fixture.activeServer()
      let store = fixture.store
      let february = Fixture.now + .seconds(17 * 86_400)
      try await store.recordUsage([sample(server, received: 1000, sent: 1000)], at: Fixture.now)
      try await store.recordUsage([sample(server, received: 1300, sent: 1001)], at: february)
      try await store.recordUsage([sample(server, received: 1310, sent: 1001)], at: Fixture.now)
      let usage = try await store.usage(of: server.id)
      #expect(usage?.month == 202602)
      #expect(usage?.receivedBytes == 310)
      #expect(usage?.sentBytes == 1)
    }
  }

  @Test("A clock that is more than a month ahead for a moment neither moves the month's traffic nor gives it away")
  func clockAhead() async throws {
    try await withStore { fixture in
      var tariff = Tariff()
      tariff.pricePerGB = Money(microunits: 10_000)
      let store = try await fixture.database.open(.asItIs, tariff: tariff)
      #expect(try await store.judgeBillingClock(at: Fixture.now, after: .zero) == .trusted)
      let server = try await fixture.activeServer()
      let (ahead, after) = (Fixture.now + .seconds(40 * 86_400), Fixture.now + .seconds(5))
      for (time, bytes) in [(Fixture.now, 512_000_000_001), (ahead, 513_000_000_000), (after, 513_000_000_001)] {
        try await store.recordUsage([sample(server, received: 5, sent: Int64(bytes))], at: time)
      }
      let usage = try await store.usage(of: server.id)
      #expect(usage?.month == 202601 && usage?.sentBytes == 513_000_000_001)
      #expect(try await store.chargeTraffic(limit: 100, at: after) == 2)
    }
  }

  @Test("A stopped server uses neither processor nor memory, keeps its month, and its next boot counts from nothing")
  func stopped() async throws {
    try await withStore { fixture in
      let server = try await fixture.activeServer()
      let store = fixture.store
      try await store.recordUsage([sample(server, received: 1000, sent: 1000)], at: Fixture.now)
      let (off, on) = (Fixture.now + .seconds(1), Fixture.now + .seconds(2))
      #expect(
        try await store.recordShutdown(of: server.id, seenAfter: try await store.keptEvents().last, at: off))
      let measuredBefore = sample(server, received: 1001, sent: 1001)
      let measuredOff = sample(try await fixture.reread(server), received: 1001, sent: 1001)
      for sample in [measuredBefore, measuredOff] { try await store.recordUsage([sample], at: off) }
      let usage = try await store.usage(of: server.id)
      #expect(usage?.cpuPermille == 0 && usage?.memoryUsedMiB == 0)
      #expect(usage?.diskUsedBytes == 1 << 30)
      #expect(usage?.receivedBytes == 1000)
      #expect(try await store.recordRunning(of: server.id, seenAfter: try await store.keptEvents().last, at: on))
      try await store.recordUsage([sample(try await fixture.reread(server), received: 5000, sent: 1)], at: on)
      #expect(try await store.usage(of: server.id)?.receivedBytes == 6000)
      #expect(try await store.usage(of: server.id)?.sentBytes == 1001)
    }
  }

  @Test("Of many, one whose customer changes its name all the time is measured, and one that was started anew is not")
  func changedSince() async throws {
    try await withStore { fixture in
      var servers: [Server] = []
      for number in 1...25 {
        servers.append(try await fixture.activeServer(fixture.newServer("web-\(number)")))
      }
      let store = fixture.store
      let (renamed, restarted) = (servers[7].id, servers[9].id)
      let later = Fixture.now + .seconds(60)
      for number in 1...3 {
        let change = ServerChange(name: ServerName("another-\(number)"))
        _ = try await store.updateServer(renamed, change, by: fixture.caller, at: later)
      }
      for (action, kind, effect) in [
        (PowerAction.stop, Core.Operation.Kind.stop, StepOutcome.Effect.becameStopped), (.start, .start, .becameActive),
      ] {
        _ = try await store.requestAction(action, on: restarted, by: fixture.caller, at: later)
        try await fixture.finish(kind, effect: effect, at: later)
      }
      try await store.recordUsage(servers.map { sample($0, received: 5, sent: 5) }, at: later)
      for server in servers {
        let received = try await store.usage(of: server.id)?.receivedBytes
        #expect(received ?? 0 == (server.id == restarted ? 0 : 5), "\(server.id)")
      }
      let reread = try await fixture.reread(servers[9])
      try await store.recordUsage([sample(reread, received: 6, sent: 6)], at: later)
      #expect(try await store.usage(of: restarted)?.receivedBytes == 6)
    }
  }

  @Test("A measurement of a server that is gone does not spoil the others")
  func gone() async throws {
    try await withStore { fixture in
      let gone = try await fixture.create()
      try await fixture.erase(gone)
      let server = try await fixture.activeServer()
      try await fixture.store.recordUsage(
        [sample(gone, received: 1, sent: 1), sample(server, received: 2, sent: 2)], at: Fixture.now)
      #expect(try await fixture.store.usage(of: gone.id) == nil)
      #expect(try await fixture.store.usage(of: server.id)?.receivedBytes == 2)
    }
  }

  @Test("A guest that lies about its counters as boldly as it can spoils its own figures and nothing else")
  func lies() async throws {
    try await withStore { fixture in
      let server = try await fixture.activeServer()
      for counter in [Int64.max, 0, .max, 1, .max] {
        try await fixture.store.recordUsage(
          [sample(server, disk: .max, received: counter, sent: counter)], at: Fixture.now)
      }
      let usage = try #require(try await fixture.store.usage(of: server.id))
      #expect(usage.receivedBytes == .max)
      #expect(usage.diskUsedGiB == 1 << 33)
      #expect(usage.bandwidthUsedGB == 9_223_372_037)
    }
  }
}

import Core
import Engine
import Foundation
import Logging
import SQLStore
import Synchronization
import TestSupport
import Testing

@Suite("Names of addresses, where others hang or clocks jump")
struct ReverseNameTroubleTests {
  /// One that is never through with anything, until nobody waits for it any more.
  private final class HangingZones: ReverseZones {
    private let state = Mutex((begun: 0, ended: 0))

    /// How often somebody began to ask, and how often nobody waited any more.
    var counts: (begun: Int, ended: Int) { state.withLock { $0 } }

    private func hang() async throws {
      state.withLock { $0.begun += 1 }
      for await _ in AsyncStream<Never>.makeStream().stream {}
      state.withLock { $0.ended += 1 }
      throw CancellationError()
    }

    func say(_ names: [IPAddress: Hostname?]) async throws -> [IPAddress: NameTrouble] {
      try await hang()
      return [:]
    }

    func names(of addresses: [IPAddress]) async throws -> [IPAddress: Set<String>] {
      try await hang()
      return [:]
    }

    func obstacles(to addresses: [IPAddress]) async throws -> ZoneObstacles {
      try await hang()
      return ZoneObstacles()
    }
  }

  @Test(
    "A DNS server that never answers holds up no other location's, and not the end of the service")
  func hanging() async throws {
    let service = try await TestService(hosts: TestService.threeHosts)
    for location in ["us-west", "us-east"] {
      _ = try await service.servers.create(service.draft(name: location, location: location), service.owner)
    }
    try await service.settle()
    let hanging = HangingZones()
    let pattern = NamePattern("<address>.vps.example.com")
    let namings = ReverseNamings(ofLocations: [
      "us-west": ReverseNaming(zones: hanging, pattern: pattern),
      "us-east": ReverseNaming(zones: service.zones, pattern: pattern),
    ])
    let keeper = ReverseNameKeeper(
      store: service.store, namings: namings, pools: AddressPools(service.pools), clock: service.clock,
      logger: Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() }))
    let running = Task { await keeper.run() }
    for name in ["first", "second"] {
      let names = ReverseNames(store: service.store, namings: namings, clock: service.clock)
      let address = try #require(try await names.list(ID(2), service.owner).first).address.description
      _ = try await names.change(ID(2), .init(address: address, name: "\(name).example.com"), service.owner)
      while service.zones.name(of: address) != "\(name).example.com" || hanging.counts.begun == 0 {
        await service.clock.whenSleeping()
        service.clock.advance(by: .seconds(1))
      }
    }
    #expect(hanging.counts.begun == 1 && hanging.counts.ended == 0)
    running.cancel()
    await running.value
    #expect(hanging.counts.begun == 1 && hanging.counts.ended == 1)
  }

  @Test(
    "A name that was refused is tried again in time, wherever the time of day jumps", arguments: [-400, -1, 1, 400])
  func jumping(days: Int) async throws {
    let service = try await TestService()
    let server = try await service.activeServer()
    let address = try #require(IPAddress("127.80.0.1"))
    service.zones.troubles = [address: .refused("REFUSED")]
    _ = try await service.reverseNames.change(
      server, .init(address: "127.80.0.1", name: "web.example.com"), service.owner)
    for _ in 0..<8 {
      await service.nameKeeper.pollOnce()
      service.clock.advance(by: .seconds(600))
    }
    let tries = service.zones.batches.count
    service.clock.setTimeOfDay(to: service.clock.now + .seconds(days * 86400))
    service.zones.troubles = [:]
    service.clock.advance(by: .seconds(1))
    await service.nameKeeper.pollOnce()
    #expect(service.zones.batches.count == tries + 1)
    #expect(service.zones.name(of: "127.80.0.1") == "web.example.com")
    let figures = try await service.database.nameFigures()
    #expect(figures.allSatisfy { $0.waiting == 0 })
  }

  /// It answers when a test lets it.
  private final class SlowLookup: NameLookup {
    private let state = Mutex<(isSlow: Bool, waiting: [CheckedContinuation<Void, Never>])>((true, []))
    private let asked: AsyncStream<Void>.Continuation

    /// - Parameter asked: Told of each question that waits.
    init(_ asked: AsyncStream<Void>.Continuation) {
      self.asked = asked
    }

    func release() {
      let waiting = state.withLock { state in
        defer { state = (false, []) }
        return state.waiting
      }
      for one in waiting { one.resume() }
    }

    func leads(_ name: Hostname, to address: IPAddress) async throws -> Bool {
      guard name.name.hasPrefix("slow") else { return true }
      await withCheckedContinuation { continuation in
        let isSlow = state.withLock { state in
          if state.isSlow { state.waiting.append(continuation) }
          return state.isSlow
        }
        if isSlow { asked.yield() } else { continuation.resume() }
      }
      return true
    }
  }

  @Test("A customer whose names take long to look up keeps nobody else from naming addresses")
  func slow() async throws {
    let service = try await TestService()
    let (asked, continuation) = AsyncStream.makeStream(of: Void.self)
    let lookup = SlowLookup(continuation)
    let names = ReverseNames(
      store: service.store, namings: TestService.namings(service.zones, lookup: lookup), clock: service.clock)
    let server = try await service.activeServer()
    let (other, _) = try await service.newCaller()
    let theirs = try await service.servers.create(service.draft(name: "theirs"), other).view.server.id
    try await service.settle()
    let owner = service.owner
    let attempts = (0..<4).map { number in
      Task {
        try await names.change(server, .init(address: "127.80.0.1", name: "slow-\(number).example.com"), owner)
      }
    }
    var questions = asked.makeAsyncIterator()
    for _ in 0..<4 { await questions.next() }
    let refused = await failure {
      _ = try await names.change(server, .init(address: "127.80.0.1", name: "slow-5.example.com"), owner)
    }
    #expect(refused?.code == .unavailable(retryAfterSeconds: 10))
    _ = try await names.change(theirs, .init(address: "127.80.0.2", name: "fast.example.com"), other)
    lookup.release()
    for attempt in attempts { _ = try await attempt.value }
    _ = try await names.change(server, .init(address: "127.80.0.1", name: "slow-6.example.com"), owner)
  }
}

import Core
import SQLStore
import SimulatedDriver
import TestSupport
import Testing

@testable import Engine

@Suite("Looks at machines at rest")
struct QuietLookTests {
  @Test(
    "They commit nothing within a minute, and then what the servers' networks carried",
    .enabled(if: TestDatabase.isSQLite))
  func quiet() async throws {
    let service = try await TestService()
    let ids = [try await service.activeServer(), try await service.activeServer()]
    let mark = try #require(service.database.changeMark)
    // Until the guests have booted, to the beginning of a minute.
    service.clock.advance(by: .seconds(120 - service.clock.now.millisecondsSinceEpoch / 1000 % 60))
    for _ in 1...2 {
      service.clock.advance(by: .seconds(5))
      await service.monitor.pollOnce()
    }
    let before = mark()
    for _ in 1...8 {
      service.clock.advance(by: .seconds(5))
      await service.monitor.pollOnce()
    }
    #expect(mark() == before)
    service.clock.advance(by: .seconds(15))
    await service.monitor.pollOnce()
    #expect(mark() != before)
    for id in ids {
      let machine = try await service.servers.read(id, service.owner).0.server.uuid
      let counters = try #require(try await service.driver.observe().usage[machine]?.network)
      #expect(try await service.store.usage(of: id)?.receivedBytes == counters.receivedBytes)
    }
  }

  @Test("A server that was off for a moment shows again what it uses")
  func offForAMoment() async throws {
    let service = try await TestService()
    let id = try await service.activeServer()
    service.clock.advance(by: .seconds(600))
    await service.monitor.pollOnce()
    service.clock.advance(by: .seconds(5))
    await service.monitor.pollOnce()
    let event = try await service.store.keptEvents().last
    #expect(try await service.store.recordShutdown(of: id, seenAfter: event, at: service.clock.now))
    #expect(try await service.store.usage(of: id)?.memoryUsedMiB == 0)
    service.clock.advance(by: .milliseconds(1))
    let later = try await service.store.keptEvents().last
    #expect(try await service.store.recordRunning(of: id, seenAfter: later, at: service.clock.now))
    await service.monitor.pollOnce()
    #expect(try await service.store.usage(of: id)?.memoryUsedMiB ?? 0 > 0)
    #expect(try await service.contradictionsAtRest() == [])
  }
}

import Core
import SimulatedDriver
import TestSupport
import Testing

@testable import Engine
@testable import SQLStore

@Suite("What machines have used, where their servers change during a look")
struct LateUsageTests {
  @Test("Whenever in a look a server goes off and on again, no byte of its former boot counts twice")
  func offAndOn() async throws {
    let service = try await TestService()
    let (driver, store, clock) = (service.driver, service.store, service.clock)
    let id = try await service.activeServer()
    let machine = try #require(try await store.server(id)).uuid
    let database = ForgetfulDatabase(service.database.database)
    let monitor = Monitor(
      of: service.fleet.hosts[0], in: service.fleet, store: SQLStore(database: database, tariff: Tariff()),
      catalogueReader: service.catalogue, changes: service.changes, clock: clock, logger: .quiet)
    func received() async throws -> Int64 {
      try #require(try await driver.observe().usage[machine]?.network).receivedBytes
    }
    /// The traffic of all boots that are over.
    var former: Int64 = 0
    var write = 0
    var isInterrupted = true
    while isInterrupted, write < 20 {
      write += 1
      clock.advance(by: .seconds(61))
      await monitor.pollOnce()
      clock.advance(by: .seconds(61))
      let (counter, updatedAt) = (try await received(), try await store.server(id)?.updatedAt)
      database.interrupt(beforeWrite: write) {
        for action in [PowerAction.stop, .start] {
          clock.advance(by: .milliseconds(1))
          _ = try await service.servers.perform(action, on: id, service.owner)
          try await service.settle()
        }
      }
      await monitor.pollOnce()
      database.interrupt(beforeWrite: 0) {}
      isInterrupted = try await store.server(id)?.updatedAt != updatedAt
      if isInterrupted { former += counter }
      let usage = try #require(try await store.usage(of: id))
      #expect(try await usage.receivedBytes <= former + received(), "before write \(write)")
      // The next look tells what was left out.
      clock.advance(by: .seconds(5))
      await monitor.pollOnce()
      #expect(try await store.usage(of: id)?.memoryUsedMiB ?? 0 > 0)
    }
    #expect(write > 1 && write < 20)
    #expect(try await service.contradictionsAtRest() == [])
  }
}

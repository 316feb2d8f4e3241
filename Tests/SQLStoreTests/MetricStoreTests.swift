import Core
import SQLStore
import TestSupport
import Testing

@Suite("The averages of many servers")
struct MetricStoreTests {
  private static func metric(_ id: ID<Server>, at time: Timestamp) -> Metric {
    Metric(
      at: time, cpuPermille: id.value, memoryMiB: 10 * id.value, diskBytes: 100, receivedBytesPerSecond: 2,
      sentBytesPerSecond: 3)
  }

  @Test("Each server keeps its own, minute by minute and by the quarter of an hour, however many are written at once")
  func many() async throws {
    try await withStore { fixture in
      let store = fixture.store
      var ids: [ID<Server>] = []
      for number in 1...27 { ids.append(try await fixture.create(fixture.newServer("web-\(number)")).id) }
      let gone = try #require(ids.last)
      let count = "SELECT COUNT(*) FROM metric WHERE resolution = "
      func record(_ minute: Int, more: Int64 = 0) async throws {
        let time = Fixture.now + .seconds(60 * minute)
        try await store.recordMetrics(
          Dictionary(
            uniqueKeysWithValues: (ids + [ID(999)]).map { ($0, Self.metric(ID($0.value + more), at: time)) }))
      }
      try await record(0)
      try await record(1, more: 4)
      // A minute that is written again is that of the last time.
      try await record(1, more: 2)
      #expect(try await fixture.raw.number(count + "60") == 54)
      #expect(try await fixture.raw.number(count + "900") == 27)
      let quarter = MetricRange(
        start: Fixture.now, end: Fixture.now + .seconds(900), stepSeconds: 900, resolution: .quarterHour)
      for id in ids {
        let found = try #require(try await store.metrics(of: id, of: fixture.caller.accountID, in: quarter))
        #expect(found == [Self.metric(ID(id.value + 1), at: Fixture.now)], "\(found)")
      }
      // Of one that is erased nothing is kept, and nothing is written any more.
      try await fixture.raw.execute(
        "DELETE FROM metric WHERE server_id = \(gone); UPDATE server SET erased_at = 1, deleted_at = 1, credit_hold = 0 WHERE id = \(gone)"
      )
      try await record(2)
      #expect(try await fixture.raw.number("SELECT COUNT(*) FROM metric WHERE server_id = \(gone)") == 0)
    }
  }

  @Test("What has expired goes a little at a time, so that a clock far ahead takes little with it")
  func expiry() async throws {
    try await withStore { fixture in
      let store = fixture.store
      let ids = [try await fixture.create().id, try await fixture.create(fixture.newServer("other")).id]
      func record(at time: Timestamp) async throws {
        try await store.recordMetrics(Dictionary(uniqueKeysWithValues: ids.map { ($0, Self.metric($0, at: time)) }))
      }
      for minute in 0..<40 { try await record(at: Fixture.now + .seconds(60 * minute)) }
      let count = "SELECT COUNT(*) FROM metric WHERE resolution = 60 AND server_id = "
      for id in ids { #expect(try await fixture.raw.number(count + "\(id)") == 40) }
      let far = Fixture.now + .seconds(86_400 * 10)
      try await record(at: far)
      for id in ids { #expect(try await fixture.raw.number(count + "\(id)") == 25, "the 16 oldest of 41") }
      try await record(at: far + .seconds(60))
      for id in ids { #expect(try await fixture.raw.number(count + "\(id)") == 26) }
      let oldest = try await fixture.raw.number("SELECT MIN(at) FROM metric WHERE resolution = 60")
      #expect(oldest == (Fixture.now + .seconds(60 * 16)).millisecondsSinceEpoch)
      try await record(at: far + .seconds(900))
      try await record(at: far + .seconds(1800))
      for id in ids { #expect(try await fixture.raw.number(count + "\(id)") == 4) }
    }
  }
}

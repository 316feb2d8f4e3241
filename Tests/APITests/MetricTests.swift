import Core
import Engine
import Foundation
import HTTPTypes
import TestSupport
import Testing

@testable import API

@Suite("What a server used, over time")
struct MetricTests {
  private func points(_ reply: TestAPI.Reply, _ kind: String) throws -> [[Double]] {
    let series = try #require(try reply.json["time_series"] as? [String: Any])
    let values = try #require(series[kind] as? [String: Any])["values"]
    return try #require(values as? [[NSNumber]]).map { $0.map(\.doubleValue) }
  }

  /// Looks at the machines every five seconds, as the service does.
  private func pass(_ span: Duration, _ service: TestService) async {
    let end = service.clock.now + span
    while service.clock.now < end {
      service.clock.advance(by: .seconds(5))
      await service.monitor.pollOnce()
    }
  }

  @Test("Minute by minute it is there, and what is under way is told once it is over")
  func minutes() async throws {
    let api = try await TestAPI.make()
    _ = try await api.activeServer()
    #expect(try points(await api.send(.get, "/servers/1/metrics/"), "cpu").isEmpty)
    await pass(.seconds(200), api.service)
    let reply = try await api.send(.get, "/servers/1/metrics/")
    #expect(reply.status == 200)
    #expect(try reply.json["step"] as? Int == 60)
    let cpu = try points(reply, "cpu")
    #expect(cpu.count == 3 && zip(cpu, cpu.dropFirst()).allSatisfy { $1[0] - $0[0] == 60 })
    #expect(cpu.allSatisfy { $0[0].truncatingRemainder(dividingBy: 60) == 0 && (0...100).contains($0[1]) })
    #expect(cpu.contains { $0[1] > 0 })
    for kind in ["memory", "disk", "network.in", "network.out"] {
      #expect(try points(reply, kind).count == 3 && points(reply, kind).contains { $0[1] > 0 }, "\(kind)")
    }
    // Traffic in a second is that of the machine, whenever it is looked at.
    let before = try #require(try await api.service.store.usage(of: ID(1)))
    await pass(.seconds(120), api.service)
    let usage = try #require(try await api.service.store.usage(of: ID(1)))
    let rate = Double(usage.receivedBytes - before.receivedBytes) / 120
    let measured = try points(await api.send(.get, "/servers/1/metrics/"), "network.in").suffix(2).map { $0[1] }
    #expect(measured.allSatisfy { abs($0 - rate) <= rate / 20 }, "\(measured) \(rate)")
    // A quarter of an hour in which nobody looked is no minute with all of its traffic.
    api.service.clock.advance(by: .seconds(900))
    await pass(.seconds(120), api.service)
    let after = try points(await api.send(.get, "/servers/1/metrics/"), "network.in").suffix(2).map { $0[1] }
    #expect(after.allSatisfy { $0 <= rate * 1.05 }, "\(after) \(rate)")
    // Off, it uses nothing, and nothing is told of that time.
    _ = try await api.send(.post, "/servers/1/stop/")
    try await api.service.settle()
    let counted = try points(await api.send(.get, "/servers/1/metrics/?type=cpu"), "cpu").count
    await pass(.seconds(600), api.service)
    let later = try points(await api.send(.get, "/servers/1/metrics/?type=cpu"), "cpu").count
    #expect(later - counted <= 1)
  }

  @Test("A month is there in quarters of an hour, of five hundred points at most, and goes with its server")
  func month() async throws {
    let api = try await TestAPI.make()
    _ = try await api.activeServer()
    let (store, clock) = (api.service.store, api.service.clock)
    func write(cpu: Int64) async throws {
      let minute = clock.now.millisecondsSinceEpoch / 60_000 * 60_000
      let metric = Metric(
        at: Timestamp(millisecondsSinceEpoch: minute), cpuPermille: cpu, memoryMiB: 1, diskBytes: 1,
        receivedBytesPerSecond: .max, sentBytesPerSecond: .max)
      try await store.recordMetrics([ID(1): metric, ID(99): metric])
    }
    for quarter in 0..<(32 * 96) {
      for minute in 0..<2 {
        try await write(cpu: Int64(quarter % 2 * 100 + minute * 10))
        clock.advance(by: .seconds(minute == 0 ? 60 : 840))
      }
    }
    let day = try await api.send(
      .get, "/servers/1/metrics/?type=cpu&start=\(time(clock.now - .seconds(86_400)))&step=900")
    let values = try points(day, "cpu")
    #expect((95...97).contains(values.count) && values.allSatisfy { [5, 10.5, 0.5].contains($0[1]) }, "\(values)")
    let all = try await api.send(.get, "/servers/1/metrics/?start=\(time(clock.now - .seconds(40 * 86_400)))")
    #expect(try points(all, "cpu").count <= 500 && points(all, "cpu").count > 400)
    #expect(try points(all, "network.in").allSatisfy { $0[1] > 9e18 })
    let kept = try await store.metrics(
      of: ID(1), of: ID(1),
      in: MetricRange(
        start: Timestamp(millisecondsSinceEpoch: 0), end: clock.now, stepSeconds: 60, resolution: .minute))
    #expect(
      (100...(2 * 25 * 4 + 4)).contains(try #require(kept).count), "What is older than a day is kept in quarters only.")
    _ = try await api.send(.delete, "/servers/1/")
    try await api.service.settle()
    #expect(try await api.send(.get, "/servers/1/metrics/").status == 404)
    #expect(try await api.service.contradictionsAtRest() == [])
  }

  private func time(_ time: Timestamp) -> String { time.wireFormat }

  @Test("What is no span, no kind or too fine is refused with its field")
  func refused() async throws {
    let api = try await TestAPI.make()
    _ = try await api.activeServer()
    for (query, field) in [
      ("type=gpu", "type"), ("type=cpu,,", "type"), ("start=yesterday", "start"), ("end=x", "end"), ("step=x", "step"),
      ("step=0", "step"), ("step=86401", "step"), ("step=-1", "step"), ("step=99999999999999999999", "step"),
      ("start=2100-01-01T00:00:00Z", "start"), ("start=2025-01-16T15:30:00Z&end=2025-01-16T15:30:00Z", "start"),
      ("start=2025-01-16T00:00:00Z&step=60", "step"), ("type=" + String(repeating: "cpu,", count: 500), "type"),
    ] {
      let reply = try await api.send(.get, "/servers/1/metrics/?\(query)")
      #expect(reply.status == 400, "\(query.prefix(40)): \(reply.text)")
      #expect(try reply.json[field] != nil, "\(query.prefix(40)): \(reply.text)")
    }
    #expect(try await api.send(.get, "/servers/1/metrics/?end=2100-01-01T00:00:00Z&step=1").status == 200)
  }
}

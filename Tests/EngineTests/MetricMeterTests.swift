import Core
import Foundation
import Testing

@testable import Engine

@Suite("The averages of a minute")
struct MetricMeterTests {
  private static let start = Timestamp(millisecondsSinceEpoch: 1_768_000_020_000)

  private let meter = MetricMeter()

  /// Measures servers with their loads in permille, so long after the beginning of a minute.
  private func add(_ loads: [Int64: Int], after seconds: Int64) {
    let ids = loads.keys.sorted()
    let items = ids.map { id in
      InventoryItem(
        id: ID(id), uuid: UUID(), status: .active, planID: ID(3), hasDisk: true, isDeleted: false, hasOperation: false,
        updatedAt: Self.start)
    }
    let samples = ids.map { id in
      UsageSample(
        serverID: ID(id), cpuPermille: loads[id] ?? 0, memoryUsedMiB: 1, diskUsedBytes: 1,
        network: NetworkCounters(receivedBytes: 0, sentBytes: 0), serverUpdatedAt: Self.start)
    }
    meter.add(
      samples, of: HostLook(items, MachineObservation(powers: [:])), at: Self.start + .seconds(seconds),
      Instant(elapsed: .seconds(seconds)))
  }

  /// The loads of each finished minute.
  private func written() async throws -> [[Int64: Int64]] {
    var minutes: [[Int64: Int64]] = []
    try await meter.writeDown { minute in
      let loads = minute.map { ($0.id.value, $0.metric.cpuPermille) }
      minutes.append(Dictionary(uniqueKeysWithValues: loads))
    }
    return minutes
  }

  @Test("Those of a server that has left the host are there for its last minute, and for no other")
  func departed() async throws {
    add([1: 100, 2: 300], after: 0)
    add([1: 100, 2: 500], after: 5)
    add([1: 100], after: 10)
    add([1: 100], after: 15)
    #expect(try await written() == [])
    add([1: 100], after: 60)
    #expect(try await written() == [[1: 100, 2: 400]])
    add([1: 100], after: 120)
    #expect(try await written() == [[1: 100]])
  }

  @Test("A server that comes back within the minute has one average")
  func back() async throws {
    add([2: 300], after: 0)
    add([1: 100], after: 5)
    add([1: 100, 2: 600], after: 10)
    add([2: 600], after: 15)
    add([:], after: 20)
    add([3: 7], after: 60)
    #expect(try await written() == [[1: 100, 2: 500]])
    add([:], after: 120)
    #expect(try await written() == [[3: 7]])
    add([:], after: 180)
    #expect(try await written() == [])
  }
}

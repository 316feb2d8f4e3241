import Core
import Foundation
import SimulatedDriver
import TestSupport
import Testing

@testable import Engine

@Suite("Of what servers use, only changes are written down")
struct UsageMeterTests {
  private static let uuid = UUID()
  private static let start = Timestamp(millisecondsSinceEpoch: 1_768_000_020_000)
  private static let first = seen(1_000_000_000, received: 1_000_000)

  private static func seen(
    _ cpuNanoseconds: Int64, memoryMiB: Int = 200, diskBytes: Int64? = 1 << 30, received: Int64
  ) -> MachineUsage {
    MachineUsage(
      cpuNanoseconds: cpuNanoseconds, memoryUsedMiB: memoryMiB, diskUsedBytes: diskBytes,
      network: NetworkCounters(receivedBytes: received, sentBytes: 7))
  }

  private let meter = UsageMeter()

  /// What is to be written so long after the first look. Notes that it is.
  private func changes(
    _ usage: MachineUsage?, after seconds: Int64, updatedAt: Timestamp = start, isInRescue: Bool = false,
    isWritten: Bool = true
  ) -> [UsageSample] {
    let item = InventoryItem(
      id: ID(5), uuid: Self.uuid, status: .active, planID: ID(3), hasDisk: true, isDeleted: false, hasOperation: false,
      isInRescue: isInRescue, updatedAt: updatedAt)
    let observed = MachineObservation(
      powers: [Self.uuid: .running], usage: usage.map { [Self.uuid: $0] } ?? [:])
    let measured = meter.measure(
      HostLook([item], observed), PlanSizes(.initial), at: Self.start + .seconds(seconds),
      Instant(elapsed: .seconds(seconds)))
    #expect(measured.samples.map { $0 != nil } == [usage != nil])
    if isWritten { meter.noteWritten(measured.changes) }
    return measured.changes.map(\.sample)
  }

  /// A meter whose first look has been written down.
  private init() {
    #expect(changes(Self.first, after: 0).map(\.cpuPermille) == [0])
  }

  @Test("Nothing is written where nothing has changed, however long")
  func same() {
    for look in 1...100 { #expect(changes(Self.first, after: 5 * Int64(look)).isEmpty) }
  }

  @Test("Processor and memory are written at once")
  func levels() {
    #expect(changes(Self.seen(1_050_000_000, received: 1_000_000), after: 5).map(\.cpuPermille) == [10])
    #expect(changes(Self.seen(1_100_000_000, received: 1_000_000), after: 10).isEmpty)
    let more = Self.seen(1_150_000_000, memoryMiB: 201, received: 1_000_000)
    #expect(changes(more, after: 15).map(\.memoryUsedMiB) == [201])
  }

  @Test("Some bytes more are written with the next minute, and many at once")
  func bytes() {
    #expect(changes(Self.seen(1_000_000_000, received: 1_000_001), after: 5).isEmpty)
    #expect(changes(Self.seen(1_000_000_000, diskBytes: 1 << 30 + 1, received: 1_000_001), after: 35).isEmpty)
    let later = changes(Self.seen(1_000_000_000, received: 1_000_001), after: 60)
    #expect(later.map(\.network?.receivedBytes) == [1_000_001])
    let many = 1_000_001 + Int64(UsageMeter.changeBytes)
    #expect(changes(Self.seen(1_000_000_000, received: many - 1), after: 65).isEmpty)
    #expect(changes(Self.seen(1_000_000_000, received: many), after: 70).count == 1)
    #expect(changes(Self.seen(1_000_000_000, diskBytes: .min, received: .max), after: 75).count == 1)
    #expect(changes(Self.seen(1_000_000_000, diskBytes: .max, received: .min), after: 80).count == 1)
  }

  @Test("What could not be written is told again")
  func failedWrite() {
    let more = Self.seen(1_000_000_000, memoryMiB: 300, received: 1_000_000)
    #expect(changes(more, after: 5, isWritten: false).count == 1)
    #expect(changes(more, after: 10).count == 1)
    #expect(changes(more, after: 15).isEmpty)
  }

  @Test("Where nobody knows whether a change was written, the next sample is written whatever it says")
  func unknownOutcome() {
    let more = Self.seen(1_000_000_000, memoryMiB: 300, received: 1_000_000)
    #expect(changes(more, after: 5, isWritten: false).map(\.memoryUsedMiB) == [300])
    #expect(changes(Self.first, after: 10).map(\.memoryUsedMiB) == [200])
    #expect(changes(Self.first, after: 15).isEmpty)
  }

  @Test("Of many changes those that were written are not told again where the rest could not be")
  func parts() async throws {
    struct Full: Error {}
    let items = (1...UsageMeter.samplesAtOnce + 2).map { number in
      InventoryItem(
        id: ID(Int64(number)), uuid: UUID(), status: .active, planID: ID(3), hasDisk: true, isDeleted: false,
        hasOperation: false, updatedAt: Self.start)
    }
    let look = HostLook(
      items,
      MachineObservation(
        powers: Dictionary(uniqueKeysWithValues: items.map { ($0.uuid, .running) }),
        usage: Dictionary(uniqueKeysWithValues: items.map { ($0.uuid, Self.first) })))
    let meter = UsageMeter()
    func changes(after seconds: Int64) -> [UsageMeter.Change] {
      meter.measure(
        look, PlanSizes(.initial), at: Self.start + .seconds(seconds), Instant(elapsed: .seconds(seconds))
      ).changes
    }
    var sizes: [Int] = []
    await #expect(throws: Full.self) {
      try await meter.writeDown(changes(after: 0)) { samples in
        sizes.append(samples.count)
        if sizes.count == 2 { throw Full() }
      }
    }
    #expect(sizes == [UsageMeter.samplesAtOnce, 2])
    #expect(changes(after: 5).map(\.sample.serverID) == items.suffix(2).map(\.id))
    try await meter.writeDown(changes(after: 10)) { #expect($0.count == 2) }
    #expect(changes(after: 15).isEmpty)
  }

  @Test("A server that was changed may have been off meanwhile, and is written once")
  func changedServer() {
    let later = Self.start + .milliseconds(1)
    #expect(changes(Self.first, after: 5, updatedAt: later).count == 1)
    #expect(changes(Self.first, after: 10, updatedAt: later).isEmpty)
  }

  @Test("A machine that was started anew, or not measured for a while, is written once")
  func startedAnew() {
    #expect(changes(Self.seen(999_999_999, received: 1_000_000), after: 5).count == 1)
    #expect(changes(nil, after: 10).isEmpty)
    #expect(changes(Self.seen(1_000_000_000, received: 1_000_000), after: 15).count == 1)
  }

  @Test("Everything is written once with a new month")
  func month() {
    #expect(changes(Self.first, after: 31 * 86_400).count == 1)
    #expect(changes(Self.first, after: 31 * 86_400 + 5).isEmpty)
  }

  @Test("The disk of a rescue system is not the server's, and changes nothing")
  func rescue() {
    let rescue = Self.seen(1_000_000_000, diskBytes: 5, received: 1_000_000)
    #expect(changes(rescue, after: 5, isInRescue: true).isEmpty)
    #expect(changes(rescue, after: 65, isInRescue: true).isEmpty)
    #expect(changes(Self.first, after: 125).isEmpty)
    #expect(changes(rescue, after: 130).map(\.diskUsedBytes) == [5])
  }

  @Test("A list of servers keeps the values of those that stay, in whatever place")
  func series() {
    var series = ServerSeries<String>()
    series.align(with: [ID(2), ID(4), ID(6)]) { _ in "new" }
    for (index, text) in ["two", "four", "six"].enumerated() { series[index] = text }
    let left = series.align(with: [ID(1), ID(4), ID(5), ID(6), ID(7)]) { _ in "new" }
    #expect(left.map(\.id) == [ID(2)] && left.map(\.value) == ["two"])
    #expect((0..<5).map { series[$0] } == ["new", "four", "new", "six", "new"])
    for id in 0...8 { series.update(ID(Int64(id))) { $0 = "\(id)" } }
    #expect((0..<5).map { series[$0] } == ["1", "4", "5", "6", "7"])
    let all = series.align(with: []) { _ in "new" }
    #expect(all.map(\.value) == ["1", "4", "5", "6", "7"])
    series.align(with: [ID(4)]) { _ in "new" }
    #expect(series[0] == "new")
  }
}

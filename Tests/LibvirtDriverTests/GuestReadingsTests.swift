import Core
import Foundation
import Synchronization
import Testing

@testable import LibvirtDriver

@Suite("What guests tell of themselves")
struct GuestReadingsTests {
  private final class HandClock: WallClock {
    private let time = Mutex(Timestamp(millisecondsSinceEpoch: 0))

    var now: Timestamp { time.withLock { $0 } }
    var uptime: Instant { Instant(elapsed: .milliseconds(now.millisecondsSinceEpoch)) }
    func sleep(for duration: Duration) async throws {}
    func advance(by duration: Duration) { time.withLock { $0 = $0 + duration } }
  }

  private let clock = HandClock()
  private let machine = UUID()
  private let counters = NetworkCounters(receivedBytes: 10, sentBytes: 20)

  @Test("Network every fifteen seconds, disk every minute, and never twice at once")
  func intervals() throws {
    let readings = GuestReadings(clock: clock)
    let first = try #require(readings.claim(machine, runID: 1))
    #expect(first == .init(network: true, disk: true))
    #expect(readings.claim(machine, runID: 1) == nil)
    readings.finish(machine, runID: 1, due: first, reading: .init(network: counters, diskUsedBytes: 5))
    #expect(readings.claim(machine, runID: 1) == nil)
    clock.advance(by: .seconds(15))
    let second = try #require(readings.claim(machine, runID: 1))
    #expect(second == .init(network: true, disk: false))
    readings.finish(machine, runID: 1, due: second, reading: .init(network: counters))
    #expect(readings.reading(of: machine, runID: 1).diskUsedBytes == 5)
    clock.advance(by: .seconds(45))
    #expect(readings.claim(machine, runID: 1) == .init(network: true, disk: true))
  }

  @Test("An agent that falls silent takes its counters with it")
  func silence() throws {
    let readings = GuestReadings(clock: clock)
    let first = try #require(readings.claim(machine, runID: 1))
    readings.finish(machine, runID: 1, due: first, reading: .init(network: counters, diskUsedBytes: 5))
    clock.advance(by: .seconds(15))
    let second = try #require(readings.claim(machine, runID: 1))
    readings.finish(machine, runID: 1, due: second, reading: nil)
    #expect(readings.reading(of: machine, runID: 1).network == nil)
    #expect(readings.reading(of: machine, runID: 1).diskUsedBytes == 5)
  }

  @Test("Another boot knows nothing of the last one, whose late answer is dropped")
  func boots() throws {
    let readings = GuestReadings(clock: clock)
    let due = try #require(readings.claim(machine, runID: 1))
    readings.noteGreeting(of: machine, runID: 1)
    #expect(readings.hasGreeted(machine, runID: 1))
    #expect(!readings.hasGreeted(machine, runID: 2))
    #expect(readings.claim(machine, runID: 2) != nil)
    readings.finish(machine, runID: 1, due: due, reading: .init(network: counters, diskUsedBytes: 5))
    #expect(readings.reading(of: machine, runID: 2).network == nil)
  }

  @Test("A few guests are asked at once, and silent ones do not take the place of others for good")
  func concurrency() throws {
    let readings = GuestReadings(clock: clock)
    let claims = (1...10).map { _ in (machine: UUID(), due: GuestReadings.Due?.none) }
      .map { ($0.machine, readings.claim($0.machine, runID: 1)) }
    #expect(claims.filter { $0.1 != nil }.count == 4)
    for case (let machine, let due?) in claims { readings.finish(machine, runID: 1, due: due, reading: nil) }
    #expect(readings.claim(claims[9].0, runID: 1) != nil)
  }
}

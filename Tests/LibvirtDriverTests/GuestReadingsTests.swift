import Core
import Foundation
import Logging
import Synchronization
import TestSupport
import Testing

@testable import LibvirtDriver

@Suite("What guests tell of themselves")
struct GuestReadingsTests {
  private let clock = ManualClock()
  private let machine = UUID()
  private let counters = NetworkCounters(receivedBytes: 10, sentBytes: 20)

  @Test("Network every fifteen seconds, disk every minute, and never twice at once")
  func intervals() throws {
    let readings = GuestReadings(clock: clock)
    #expect(readings.claim() == nil)
    readings.noteRunning([machine: 1])
    let first = try #require(readings.claim())
    #expect(first.machine == machine && first.due == .init(network: true, disk: true))
    #expect(readings.claim() == nil)
    readings.finish(first, .init(network: counters, diskUsedBytes: 5))
    #expect(readings.claim() == nil)
    clock.advance(by: .seconds(15))
    let second = try #require(readings.claim())
    #expect(second.due == .init(network: true, disk: false))
    readings.finish(second, .init(network: counters))
    #expect(readings.reading(of: machine, runID: 1).diskUsedBytes == 5)
    clock.advance(by: .seconds(45))
    #expect(readings.claim()?.due == .init(network: true, disk: true))
  }

  @Test("One that is left alone is asked when that time is over, and others meanwhile")
  func leftAlone() throws {
    let readings = GuestReadings(clock: clock)
    let other = UUID()
    readings.leaveAlone(machine, for: .seconds(40))
    readings.noteRunning([machine: 1])
    #expect(readings.claim() == nil)
    readings.noteRunning([machine: 1, other: 1])
    let claim = try #require(readings.claim())
    #expect(claim.machine == other && readings.claim() == nil)
    readings.leaveAlone(machine, for: .seconds(5))
    clock.advance(by: .seconds(4))
    #expect(readings.claim() == nil)
    clock.advance(by: .seconds(1))
    #expect(readings.claim()?.machine == machine)
  }

  @Test("An agent that falls silent takes its counters with it, and is asked ever more seldom")
  func silence() throws {
    let readings = GuestReadings(clock: clock)
    readings.noteRunning([machine: 1])
    readings.finish(try #require(readings.claim()), .init(network: counters, diskUsedBytes: 5))
    var intervals: [Int64] = []
    var last = clock.uptime
    for _ in 1...7 {
      while true {
        clock.advance(by: .seconds(1))
        guard let claim = readings.claim() else { continue }
        readings.finish(claim, nil)
        break
      }
      intervals.append((clock.uptime - last).milliseconds / 1000)
      last = clock.uptime
    }
    #expect(intervals == [15, 15, 15, 30, 60, 120, 120])
    #expect(readings.reading(of: machine, runID: 1).network == nil)
    #expect(readings.reading(of: machine, runID: 1).diskUsedBytes == 5)
  }

  @Test("Another boot knows nothing of the last one, whose late answer is dropped")
  func boots() throws {
    let readings = GuestReadings(clock: clock)
    readings.noteRunning([machine: 1])
    let late = try #require(readings.claim())
    readings.noteGreeting(of: machine, runID: 1)
    #expect(readings.hasGreeted(machine, runID: 1))
    #expect(!readings.hasGreeted(machine, runID: 2))
    #expect(!readings.takesNewsOfGreeting(of: machine, runID: 1))
    readings.noteGreeting(of: machine, runID: 1, isNews: true)
    #expect(!readings.takesNewsOfGreeting(of: machine, runID: 2))
    #expect(readings.takesNewsOfGreeting(of: machine, runID: 1) && readings.hasGreeted(machine, runID: 1))
    #expect(!readings.takesNewsOfGreeting(of: machine, runID: 1))
    readings.noteRunning([machine: 2])
    #expect(readings.claim()?.runID == 2)
    readings.finish(late, .init(network: counters, diskUsedBytes: 5))
    #expect(readings.reading(of: machine, runID: 2).network == nil)
    readings.noteRunning([:])
    #expect(readings.claim() == nil)
  }
}

@Suite("A host with two hundred machines")
struct ManyMachinesTests {
  /// Counts what is asked, and tells each answer.
  private final class Guests: Sendable {
    private struct State {
      var asked: [UUID: Int] = [:]
      var disks: [UUID: Int] = [:]
      var now = 0
      var peak = 0
    }

    let silent: UUID
    private let state = Mutex(State())
    private let (answers, continuation) = AsyncStream.makeStream(of: Void.self)
    private let never = AsyncStream.makeStream(of: Void.self)

    init(silent: UUID) {
      self.silent = silent
    }

    var peak: Int { state.withLock { $0.peak } }
    func asked(_ machine: UUID) -> Int { state.withLock { $0.asked[machine] ?? 0 } }
    func disksAsked(_ machine: UUID) -> Int { state.withLock { $0.disks[machine] ?? 0 } }

    func read(_ machine: UUID, _ due: GuestReadings.Due) async throws -> GuestReadings.Reading {
      state.withLock { state in
        state.asked[machine, default: 0] += 1
        if due.disk { state.disks[machine, default: 0] += 1 }
        state.now += 1
        state.peak = max(state.peak, state.now)
      }
      defer { state.withLock { $0.now -= 1 } }
      if machine == silent {
        // Until the task is cancelled.
        for await _ in never.stream {}
        throw DriverError(.unreachable, "it does not answer")
      }
      continuation.yield()
      return .init(network: NetworkCounters(receivedBytes: 1, sentBytes: 1), diskUsedBytes: due.disk ? 1 : nil)
    }

    func awaitAnswers(_ count: Int) async {
      var left = count
      for await _ in answers {
        left -= 1
        if left == 0 { return }
      }
    }
  }

  @Test(
    "Each guest is asked every fifteen seconds and each console log is trimmed, whatever one of them does",
    .timeLimit(.minutes(15)))
  func everyMachine() async throws {
    try await withTemporaryFolder { folder in
      let clock = ManualClock()
      let machines = (1...200).map { _ in UUID() }
      let guests = Guests(silent: machines[0])
      let driver = try LibvirtDriver(
        configuration: .init(dataDirectory: folder.path, imageDirectory: folder.path, installation: UUID()),
        clock: clock, logger: Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() }),
        readGuest: { try await guests.read($0, $1) })
      let consoles = try machines.map { machine in
        let files = driver.files(of: machine)
        try MachineFiles.makeDirectory(ServerFiles.root(folder.path))
        try MachineFiles.makeDirectory(files.folder)
        try files.makeConsole()
        return files.console
      }
      driver.readings.noteRunning(Dictionary(uniqueKeysWithValues: machines.map { ($0, 7) }))
      let running = Task { await driver.run() }
      for round in 1...5 {
        await guests.awaitAnswers(machines.count - 1)
        // The queue, the logs and the look for images wait for their next time.
        await clock.whenSleeping(3)
        #expect(try consoles.allSatisfy { try MachineFiles.size(of: $0) == 0 })
        for console in consoles { truncate(console, 2 << 20) }
        for machine in machines.dropFirst() {
          #expect(guests.asked(machine) == round)
          #expect(guests.disksAsked(machine) == (round + 3) / 4)
        }
        clock.advance(by: .seconds(15))
      }
      #expect(guests.asked(guests.silent) == 1)
      #expect(guests.peak <= GuestReadings.width(for: machines.count))
      running.cancel()
      await running.value
    }
  }
}

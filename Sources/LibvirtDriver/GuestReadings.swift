import Core
import Foundation
import Synchronization

/// What guest agents said last. Asking them is slow, so that it happens beside the observation, which takes what is there.
final class GuestReadings: Sendable {
  struct Reading: Sendable {
    var network: NetworkCounters?
    var diskUsedBytes: Int64?
  }

  private struct Entry {
    /// Another number is another boot, of which nothing is known yet.
    let runID: Int
    var reading = Reading()
    var isBeingRead = false
    var networkIsDue: Timestamp
    var diskIsDue: Timestamp
    var hasGreeted = false

    init(runID: Int, now: Timestamp) {
      self.runID = runID
      self.networkIsDue = now
      self.diskIsDue = now
    }
  }

  private struct State {
    var entries: [UUID: Entry] = [:]
    var inFlight = 0
  }

  struct Due: Sendable, Equatable {
    let network: Bool
    let disk: Bool
  }

  static let networkInterval: Duration = .seconds(15)
  static let diskInterval: Duration = .seconds(60)
  private static let concurrency = 4

  private let clock: any WallClock
  private let state = Mutex(State())

  init(clock: any WallClock) {
    self.clock = clock
  }

  func reading(of machine: UUID, runID: Int) -> Reading {
    state.withLock { state in
      guard let entry = state.entries[machine], entry.runID == runID else { return Reading() }
      return entry.reading
    }
  }

  /// Whether this boot's SSH banner was seen. Each look costs the guest a process, which a slow one that is still booting
  /// cannot spare, so that one is enough.
  func hasGreeted(_ machine: UUID, runID: Int) -> Bool {
    state.withLock { state in
      guard let entry = state.entries[machine], entry.runID == runID else { return false }
      return entry.hasGreeted
    }
  }

  func noteGreeting(of machine: UUID, runID: Int) {
    let now = clock.now
    state.withLock { state in
      var entry = Self.entry(machine, runID: runID, in: state, now: now)
      entry.hasGreeted = true
      state.entries[machine] = entry
    }
  }

  private static func entry(_ machine: UUID, runID: Int, in state: State, now: Timestamp) -> Entry {
    if let entry = state.entries[machine], entry.runID == runID { return entry }
    return Entry(runID: runID, now: now)
  }

  /// Forgets every machine that does not run.
  func retain(_ running: Set<UUID>) {
    state.withLock { state in state.entries = state.entries.filter { running.contains($0.key) } }
  }

  /// What of the machine should be read now, by the caller, who calls `finish` whatever comes of it; nil if nothing.
  func claim(_ machine: UUID, runID: Int) -> Due? {
    let now = clock.now
    return state.withLock { state in
      var entry = Self.entry(machine, runID: runID, in: state, now: now)
      let due = Due(network: entry.networkIsDue <= now, disk: entry.diskIsDue <= now)
      if !entry.isBeingRead, state.inFlight < Self.concurrency, due.network || due.disk {
        entry.isBeingRead = true
        state.inFlight += 1
        state.entries[machine] = entry
        return due
      }
      state.entries[machine] = entry
      return nil
    }
  }

  /// A reading of nil says that the agent did not answer: what it said before is no longer true, except for the disk.
  func finish(_ machine: UUID, runID: Int, due: Due, reading: Reading?) {
    let now = clock.now
    state.withLock { state in
      state.inFlight -= 1
      guard var entry = state.entries[machine], entry.runID == runID else { return }
      entry.isBeingRead = false
      entry.networkIsDue = now + Self.networkInterval
      if due.network { entry.reading.network = reading?.network }
      if due.disk, let reading {
        entry.reading.diskUsedBytes = reading.diskUsedBytes
        entry.diskIsDue = now + Self.diskInterval
      }
      state.entries[machine] = entry
    }
  }
}

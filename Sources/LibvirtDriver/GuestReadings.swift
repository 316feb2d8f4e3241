import Core
import Foundation
import Synchronization

/// The latest answers of the guest agents. Asking them is slow, so it happens beside the observation, which uses the stored
/// answers: a queue of machines, ordered by the time at which each is due.
final class GuestReadings: Sendable {
  struct Reading: Sendable {
    var network: NetworkCounters?
    var diskUsedBytes: Int64?
  }

  struct Due: Sendable, Equatable {
    let network: Bool
    let disk: Bool
  }

  /// Asks one guest. An error means that the agent did not answer.
  typealias Reader = @Sendable (UUID, Due) async throws -> Reading

  struct Claim: Sendable {
    let machine: UUID
    let runID: Int
    let due: Due
    fileprivate let claimedAt: Instant
  }

  private struct Entry {
    /// A different number means a new boot, of which nothing is known yet.
    let runID: Int
    var reading = Reading()
    var isBeingRead = false
    var networkIsDue: Instant
    var diskIsDue: Instant
    /// How often in a row the agent did not answer.
    var silences = 0
    var hasGreeted = false
    var isGreetingNews = false

    init(runID: Int, now: Instant) {
      self.runID = runID
      self.networkIsDue = now
      self.diskIsDue = now
    }

    var isDue: Instant { min(networkIsDue, diskIsDue) }
  }

  private struct State {
    var entries: [UUID: Entry] = [:]
    /// The machines that are not to be asked before some time.
    var leftAlone: [UUID: Instant] = [:]
    var inFlight = 0

    var width: Int { GuestReadings.width(for: entries.count) }
  }

  static let networkInterval: Duration = .seconds(15)
  static let diskInterval: Duration = .seconds(60)
  /// An agent that never answers is asked less and less often, up to this interval: each attempt occupies a slot for seconds.
  static let longestInterval: Duration = .seconds(120)
  /// The longest time until a machine that has just been seen is asked.
  private static let longestSleep: Duration = .seconds(1)

  private let clock: any WallClock
  private let state = Mutex(State())

  init(clock: any WallClock) {
    self.clock = clock
  }

  /// How many guests are asked at once. One that answers does so within a fraction of a second, so one slot serves the 15
  /// guests that are due in 15 seconds; libvirtd itself serves 20 calls at once.
  static func width(for machines: Int) -> Int { min(16, max(4, (machines + 14) / 15)) }

  // MARK: - Stored readings

  func reading(of machine: UUID, runID: Int) -> Reading {
    state.withLock { state in
      guard let entry = state.entries[machine], entry.runID == runID else { return Reading() }
      return entry.reading
    }
  }

  /// Whether this boot's SSH banner was seen. Each check costs the guest a process, which a slow guest that is still booting
  /// cannot spare, so one success is enough.
  func hasGreeted(_ machine: UUID, runID: Int) -> Bool {
    state.withLock { state in
      guard let entry = state.entries[machine], entry.runID == runID else { return false }
      return entry.hasGreeted
    }
  }

  /// - Parameter isNews: Whether nobody has asked for it yet.
  func noteGreeting(of machine: UUID, runID: Int, isNews: Bool = false) {
    let now = clock.uptime
    state.withLock { state in
      var entry = Self.entry(machine, runID: runID, in: state, now: now)
      entry.hasGreeted = true
      entry.isGreetingNews = isNews
      state.entries[machine] = entry
    }
  }

  /// Whether it has greeted and nobody has asked for that yet; true once.
  func takesNewsOfGreeting(of machine: UUID, runID: Int) -> Bool {
    state.withLock { state in
      guard let entry = state.entries[machine], entry.runID == runID, entry.isGreetingNews else { return false }
      state.entries[machine]?.isGreetingNews = false
      return true
    }
  }

  /// Forgets every machine that does not run, and asks all others from now on.
  func noteRunning(_ running: [UUID: Int]) {
    let now = clock.uptime
    state.withLock { state in
      let entries = running.map { ($0.key, Self.entry($0.key, runID: $0.value, in: state, now: now)) }
      state.entries = Dictionary(uniqueKeysWithValues: entries)
    }
  }

  private static func entry(_ machine: UUID, runID: Int, in state: State, now: Instant) -> Entry {
    if let entry = state.entries[machine], entry.runID == runID { return entry }
    return Entry(runID: runID, now: now)
  }

  // MARK: - The queue

  /// Does not ask the machine for so long, because its guest has more urgent things to do.
  func leaveAlone(_ machine: UUID, for duration: Duration) {
    let now = clock.uptime
    state.withLock { state in
      state.leftAlone = state.leftAlone.filter { $0.value > now }
      state.leftAlone[machine] = now + duration
    }
  }

  /// Asks each guest when it is due, until the task is cancelled.
  func run(_ read: @escaping Reader) async {
    await withDiscardingTaskGroup { group in
      while !Task.isCancelled {
        while let claim = claim() { group.addTask { await self.serve(claim, read) } }
        try? await clock.sleep(until: nextLook)
      }
    }
  }

  /// A slot that becomes free takes the next machine that is due.
  private func serve(_ first: Claim, _ read: Reader) async {
    var next: Claim? = first
    while let claim = next {
      finish(claim, try? await read(claim.machine, claim.due))
      next = Task.isCancelled ? nil : self.claim()
    }
  }

  private var nextLook: Instant {
    let now = clock.uptime
    let latest = now + Self.longestSleep
    return state.withLock { state in
      guard state.inFlight < state.width else { return latest }
      let free = state.entries.filter { machine, entry in !entry.isBeingRead && (state.leftAlone[machine] ?? now) <= now
      }
      return min(latest, free.values.map(\.isDue).min() ?? latest)
    }
  }

  /// The machine that has been due for longest; nil where none is due or no slot is free. The caller asks it, and must call
  /// `finish` whatever the result.
  func claim() -> Claim? {
    let now = clock.uptime
    return state.withLock { state in
      let leftAlone = state.leftAlone
      guard state.inFlight < state.width,
        let (machine, entry) = state.entries.lazy.filter({ machine, entry in
          !entry.isBeingRead && entry.isDue <= now && (leftAlone[machine] ?? now) <= now
        }).min(by: { $0.value.isDue < $1.value.isDue })
      else { return nil }
      state.entries[machine]?.isBeingRead = true
      state.inFlight += 1
      let due = Due(network: entry.networkIsDue <= now, disk: entry.diskIsDue <= now)
      return Claim(machine: machine, runID: entry.runID, due: due, claimedAt: now)
    }
  }

  /// A nil reading means that the agent did not answer: the network counters are dropped, the disk usage stays.
  func finish(_ claim: Claim, _ reading: Reading?) {
    let now = clock.uptime
    state.withLock { state in
      state.inFlight -= 1
      guard var entry = state.entries[claim.machine], entry.runID == claim.runID else { return }
      entry.isBeingRead = false
      entry.silences = reading == nil ? entry.silences + 1 : 0
      let interval = Self.interval(afterSilences: entry.silences)
      entry.networkIsDue = max(now, claim.claimedAt + interval)
      if claim.due.network { entry.reading.network = reading?.network }
      if let reading, claim.due.disk {
        entry.reading.diskUsedBytes = reading.diskUsedBytes
        entry.diskIsDue = max(now, claim.claimedAt + Self.diskInterval)
      }
      if reading == nil { entry.diskIsDue = max(entry.diskIsDue, entry.networkIsDue) }
      state.entries[claim.machine] = entry
    }
  }

  /// A booting guest is silent for a while, so the first two silences do not lengthen the interval.
  private static func interval(afterSilences silences: Int) -> Duration {
    min(networkInterval * (1 << min(8, max(0, silences - 2))), longestInterval)
  }
}

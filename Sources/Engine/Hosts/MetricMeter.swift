import Core
import Synchronization

/// Averages over a minute what is measured every few seconds. The averages are in memory until they are stored, so a process
/// that dies loses a minute.
final class MetricMeter: Sendable {
  /// The averages of one minute.
  typealias Minute = [(id: ID<Server>, metric: Metric)]

  /// Traffic between readings that are further apart says nothing about a minute and is left out.
  private static let longestInterval = Duration.seconds(30)
  /// Where time of day and uptime differ by more between two measurements, the time of day was set.
  private static let largestStep = Duration.seconds(5)
  /// How many minutes are kept while the store cannot be written.
  private static let mostMinutes = 5

  private struct Sum {
    var samples: Int64 = 0
    var cpuPermille: Int64 = 0
    var memoryMiB: Int64 = 0
    var received: Int64 = 0
    var sent: Int64 = 0
    /// For how long the network was measured.
    var networkMilliseconds: Int64 = 0

    mutating func add(_ sample: UsageSample) {
      samples += 1
      cpuPermille += Int64(sample.cpuPermille)
      memoryMiB += Int64(sample.memoryUsedMiB)
    }

    mutating func add(_ network: NetworkCounters, since before: NetworkCounters, in span: Duration) {
      received = Self.sum(received, before.receivedBytes, network.receivedBytes)
      sent = Self.sum(sent, before.sentBytes, network.sentBytes)
      networkMilliseconds += span.milliseconds
    }

    func metric(at start: Timestamp, diskBytes: Int64) -> Metric {
      Metric(
        at: start, cpuPermille: cpuPermille / samples, memoryMiB: memoryMiB / samples, diskBytes: diskBytes,
        receivedBytesPerSecond: rate(received), sentBytesPerSecond: rate(sent))
    }

    private func rate(_ bytes: Int64) -> Int64 {
      guard networkMilliseconds > 0 else { return 0 }
      return bytes / max(1, (networkMilliseconds + 500) / 1000)
    }

    /// A counter below the last one has begun anew. The sum saturates, because a guest may report any number.
    private static func sum(_ sum: Int64, _ before: Int64, _ now: Int64) -> Int64 {
      let (total, isTooLarge) = sum.addingReportingOverflow(now >= before ? now - before : now)
      return isTooLarge ? .max : total
    }
  }

  private struct Entry {
    var sum = Sum()
    /// Where the counters stood at the last measurement; nil where they were not read.
    var counters: NetworkCounters?
    /// What was measured last.
    var diskBytes: Int64 = 0
  }

  private struct State {
    /// When it was measured last.
    var last: (at: Timestamp, uptime: Instant)?
    var entries = ServerSeries<Entry>()
    /// What was measured in this minute of servers that the host has no more.
    var departed: [ID<Server>: Entry] = [:]
    /// Minutes that are over, and not written down.
    var finished: [Minute] = []
  }

  private let state = Mutex(State())

  /// - Parameter samples: Of each server of the look; nil for those that were not measured.
  func add(_ samples: [UsageSample?], of look: HostLook, at now: Timestamp, _ uptime: Instant) {
    state.withLock { state in
      finishMinute(&state, at: now, uptime)
      let span = state.last.map { uptime - $0.uptime }.flatMap { $0 <= Self.longestInterval ? $0 : nil }
      state.last = (now, uptime)
      var departed = state.departed
      let leaving = state.entries.align(with: look.servers.lazy.map(\.id)) {
        // One that comes back within the minute goes on.
        departed.removeValue(forKey: $0) ?? Entry()
      }
      for (id, entry) in leaving where entry.sum.samples > 0 {
        departed[id] = Entry(sum: entry.sum, counters: nil, diskBytes: entry.diskBytes)
      }
      state.departed = departed
      for (index, sample) in samples.enumerated() { Self.add(sample, to: &state.entries[index], span) }
    }
  }

  private static func add(_ sample: UsageSample?, to entry: inout Entry, _ span: Duration?) {
    guard let sample else {
      // Its sum stays, for the end of the minute.
      entry.counters = nil
      return
    }
    entry.sum.add(sample)
    entry.diskBytes = sample.diskUsedBytes ?? entry.diskBytes
    if let span, let network = sample.network, let before = entry.counters {
      entry.sum.add(network, since: before, in: span)
    }
    entry.counters = sample.network
  }

  private func finishMinute(_ state: inout State, at now: Timestamp, _ uptime: Instant) {
    guard let last = state.last else { return }
    let milliseconds = Metric.Resolution.minute.seconds * 1000
    let minute = last.at.millisecondsSinceEpoch / milliseconds
    guard now.millisecondsSinceEpoch / milliseconds != minute else { return }
    let step = (now - last.at) - (uptime - last.uptime)
    let wasSet = step > Self.largestStep || step < .zero - Self.largestStep
    let start = Timestamp(millisecondsSinceEpoch: minute * milliseconds)
    var averages: Minute = state.departed.map { ($0, $1.sum.metric(at: start, diskBytes: $1.diskBytes)) }
    state.departed = [:]
    state.entries.updateAll { id, entry in
      if entry.sum.samples > 0 {
        averages.append((id, entry.sum.metric(at: start, diskBytes: entry.diskBytes)))
      }
      entry.sum = Sum()
    }
    // If the time of day was set, the measurements belong to no certain minute and are dropped.
    guard !wasSet, !averages.isEmpty else { return }
    state.finished.append(averages)
    if state.finished.count > Self.mostMinutes { state.finished.removeFirst() }
  }

  /// Calls `write` with each finished minute, oldest first. If it throws, the minute is kept.
  func writeDown(_ write: (Minute) async throws -> Void) async throws {
    while let minute = state.withLock({ $0.finished.first }) {
      try await write(minute)
      state.withLock { state in
        if !state.finished.isEmpty { state.finished.removeFirst() }
      }
    }
  }
}

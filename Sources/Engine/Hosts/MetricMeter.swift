import Core
import Synchronization

/// Averages over a minute what is measured every few seconds. The averages are in memory until they are stored, so a process
/// that dies loses a minute.
final class MetricMeter: Sendable {
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
    var diskBytes: Int64 = 0
    var received: Int64 = 0
    var sent: Int64 = 0
    /// For how long the network was measured.
    var networkMilliseconds: Int64 = 0

    mutating func add(_ sample: UsageSample) {
      samples += 1
      cpuPermille += Int64(sample.cpuPermille)
      memoryMiB += Int64(sample.memoryUsedMiB)
      diskBytes = sample.diskUsedBytes ?? diskBytes
    }

    mutating func add(_ network: NetworkCounters, since before: NetworkCounters, in span: Duration) {
      received = Self.sum(received, before.receivedBytes, network.receivedBytes)
      sent = Self.sum(sent, before.sentBytes, network.sentBytes)
      networkMilliseconds += span.milliseconds
    }

    func metric(at start: Timestamp) -> Metric {
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

  private struct State {
    /// When it was measured last.
    var last: (at: Timestamp, uptime: Instant)?
    var sums: [ID<Server>: Sum] = [:]
    /// Where the counters of each server stood when they were read last, and when.
    var counters: [ID<Server>: (counters: NetworkCounters, uptime: Instant)] = [:]
    var disks: [ID<Server>: Int64] = [:]
    /// Minutes that are over, and not written down.
    var finished: [[ID<Server>: Metric]] = []
  }

  private let state = Mutex(State())

  func add(_ samples: [UsageSample], at now: Timestamp, _ uptime: Instant) {
    state.withLock { state in
      finishMinute(&state, at: now, uptime)
      state.last = (now, uptime)
      var counters: [ID<Server>: (counters: NetworkCounters, uptime: Instant)] = [:]
      var disks: [ID<Server>: Int64] = [:]
      for sample in samples {
        let id = sample.serverID
        var sum = state.sums[id] ?? Sum(diskBytes: state.disks[id] ?? 0)
        sum.add(sample)
        if let network = sample.network {
          if let before = state.counters[id], uptime - before.uptime <= Self.longestInterval {
            sum.add(network, since: before.counters, in: uptime - before.uptime)
          }
          counters[id] = (network, uptime)
        }
        state.sums[id] = sum
        disks[id] = sum.diskBytes
      }
      (state.counters, state.disks) = (counters, disks)
    }
  }

  private func finishMinute(_ state: inout State, at now: Timestamp, _ uptime: Instant) {
    guard let last = state.last else { return }
    let milliseconds = Metric.Resolution.minute.seconds * 1000
    let minute = last.at.millisecondsSinceEpoch / milliseconds
    guard now.millisecondsSinceEpoch / milliseconds != minute else { return }
    let step = (now - last.at) - (uptime - last.uptime)
    let wasSet = step > Self.largestStep || step < .zero - Self.largestStep
    // If the time of day was set, the measurements belong to no certain minute and are dropped.
    if !wasSet, !state.sums.isEmpty {
      let start = Timestamp(millisecondsSinceEpoch: minute * milliseconds)
      state.finished.append(state.sums.mapValues { $0.metric(at: start) })
      if state.finished.count > Self.mostMinutes { state.finished.removeFirst() }
    }
    state.sums = [:]
  }

  /// Calls `write` with each finished minute, oldest first. If it throws, the minute is kept.
  func writeDown(_ write: ([ID<Server>: Metric]) async throws -> Void) async throws {
    while let minute = state.withLock({ $0.finished.first }) {
      try await write(minute)
      state.withLock { state in
        if !state.finished.isEmpty { state.finished.removeFirst() }
      }
    }
  }
}

import Core
import Synchronization

/// Makes averages of a minute of what is measured every few seconds. They are kept here until the minute is over: a process
/// that dies loses one.
final class MetricMeter: Sendable {
  private struct Sum {
    var samples: Int64 = 0
    var cpuPermille: Int64 = 0
    var memoryMiB: Int64 = 0
    var diskBytes: Int64 = 0
    var received: Int64 = 0
    var sent: Int64 = 0

    mutating func add(_ sample: UsageSample, since before: NetworkCounters?) {
      samples += 1
      cpuPermille += Int64(sample.cpuPermille)
      memoryMiB += Int64(sample.memoryUsedMiB)
      diskBytes = sample.diskUsedBytes ?? diskBytes
      guard let network = sample.network, let before else { return }
      received = Self.sum(received, before.receivedBytes, network.receivedBytes)
      sent = Self.sum(sent, before.sentBytes, network.sentBytes)
    }

    func metric(at start: Timestamp) -> Metric {
      let seconds = Metric.Resolution.minute.seconds
      return Metric(
        at: start, cpuPermille: cpuPermille / samples, memoryMiB: memoryMiB / samples, diskBytes: diskBytes,
        receivedBytesPerSecond: received / seconds, sentBytesPerSecond: sent / seconds)
    }

    /// A counter below the last one began anew; a guest may say any number.
    private static func sum(_ sum: Int64, _ before: Int64, _ now: Int64) -> Int64 {
      let (total, isTooLarge) = sum.addingReportingOverflow(now >= before ? now - before : now)
      return isTooLarge ? .max : total
    }
  }

  private struct State {
    /// The number of the minute that is under way, from 1970.
    var minute: Int64?
    var sums: [ID<Server>: Sum] = [:]
    /// Where the counters of each server stood when they were read last.
    var counters: [ID<Server>: NetworkCounters] = [:]
    var disks: [ID<Server>: Int64] = [:]
  }

  private let state = Mutex(State())

  /// Returns what is to be written down: nothing before a minute is over.
  func add(_ samples: [UsageSample], at now: Timestamp) -> [ID<Server>: Metric] {
    let milliseconds = Metric.Resolution.minute.seconds * 1000
    let minute = now.millisecondsSinceEpoch / milliseconds
    return state.withLock { state in
      var finished: [ID<Server>: Metric] = [:]
      if let last = state.minute, last != minute {
        let start = Timestamp(millisecondsSinceEpoch: last * milliseconds)
        finished = state.sums.mapValues { $0.metric(at: start) }
        state.sums = [:]
      }
      state.minute = minute
      var counters: [ID<Server>: NetworkCounters] = [:]
      var disks: [ID<Server>: Int64] = [:]
      for sample in samples {
        let id = sample.serverID
        var sum = state.sums[id] ?? Sum(diskBytes: state.disks[id] ?? 0)
        sum.add(sample, since: state.counters[id])
        state.sums[id] = sum
        counters[id] = sample.network ?? state.counters[id]
        disks[id] = sum.diskBytes
      }
      (state.counters, state.disks) = (counters, disks)
      return finished
    }
  }
}

import Core
import Synchronization

/// Computes the usage of servers from the counters of their machines, and tells what of it is to be written down. What it remembers
/// is in memory only: after a restart of the service, the first CPU figure takes one interval, and everything is written once.
final class UsageMeter: Sendable {
  /// A sample of each server of a look, nil where it was not measured, and the changes among them.
  struct Measurement: Sendable {
    var samples: [UsageSample?] = []
    var changes: [Change] = []
  }

  /// A sample that says something else than what was written down.
  struct Change: Sendable {
    let sample: UsageSample
    fileprivate let written: Written
  }

  /// What was written down last of a server.
  fileprivate struct Written {
    let cpuPermille: Int
    let memoryUsedMiB: Int
    let diskUsedBytes: Int64?
    let network: NetworkCounters?
    let minute: Int64
    let month: Int
    /// When the server had last been changed. Whatever else writes a server's usage, such as its power off, changes the server.
    let serverUpdatedAt: Timestamp
  }

  private struct Reading {
    let cpuNanoseconds: Int64
    let at: Instant
    let cpuPermille: Int
  }

  private struct Entry {
    /// Nil where it was not measured by the last look.
    var reading: Reading?
    var written: Written?
  }

  /// Two readings closer than this say nothing about the load.
  private static let shortestInterval = Duration.seconds(1)
  /// Bytes are shown in whole gigabytes and change all the time. They are written once a minute, or sooner where they have changed
  /// by more than this. A power off loses what was not written.
  static let changeBytes: UInt64 = 16 << 20
  /// How many samples one transaction writes.
  static let samplesAtOnce = 500

  private let entries = Mutex(ServerSeries<Entry>())

  /// - Parameter now: When the machines were asked. What they answered is no older.
  func measure(_ look: HostLook, _ plans: PlanSizes, at now: Timestamp, _ uptime: Instant) -> Measurement {
    let (minute, month) = (now.millisecondsSinceEpoch / 60_000, now.month)
    return entries.withLock { entries in
      var measurement = Measurement()
      measurement.samples.reserveCapacity(look.servers.count)
      entries.align(with: look.servers.lazy.map(\.id)) { _ in Entry() }
      for (index, server) in look.servers.enumerated() {
        let item = server.item
        guard !item.isDeleted, let usage = server.usage, let plan = plans[item.planID] else {
          entries[index] = Entry()
          measurement.samples.append(nil)
          continue
        }
        let before = entries[index]
        let reading = Self.reading(usage.cpuNanoseconds, vcpus: plan.vcpus, at: uptime, before: before.reading)
        let sample = UsageSample(
          serverID: item.id, cpuPermille: reading.cpuPermille,
          memoryUsedMiB: min(usage.memoryUsedMiB ?? 0, plan.memoryMiB),
          diskUsedBytes: item.isInRescue ? nil : usage.diskUsedBytes, network: usage.network,
          serverUpdatedAt: item.updatedAt)
        measurement.samples.append(sample)
        let isSameBoot = before.reading.map { $0.cpuNanoseconds <= usage.cpuNanoseconds } ?? false
        let written = before.written.flatMap { isSameBoot && $0.serverUpdatedAt == item.updatedAt ? $0 : nil }
        entries[index] = Entry(reading: reading, written: written)
        if written?.holds(sample, in: minute, month) == true { continue }
        // Until the change is known to be written, it is not known what is.
        entries[index].written = nil
        measurement.changes.append(Change(sample: sample, written: Written(sample, over: written, in: minute, month)))
      }
      return measurement
    }
  }

  /// Calls `write` with some changes after the other, so that other writers have their turn in between. If it throws, those that
  /// were not written are told again by the next look.
  func writeDown(_ changes: [Change], _ write: ([UsageSample]) async throws -> Void) async throws {
    var rest = changes[...]
    while !rest.isEmpty {
      let some = rest.prefix(Self.samplesAtOnce)
      try await write(some.map(\.sample))
      noteWritten(some)
      rest = rest.dropFirst(Self.samplesAtOnce)
    }
  }

  /// To be called when the store has the changes, or has left out those of servers that were off meanwhile.
  func noteWritten(_ changes: some Sequence<Change>) {
    entries.withLock { entries in
      for change in changes { entries.update(change.sample.serverID) { $0.written = change.written } }
    }
  }

  private static func reading(_ cpuNanoseconds: Int64, vcpus: Int, at now: Instant, before: Reading?) -> Reading {
    guard let before, cpuNanoseconds >= before.cpuNanoseconds else {
      return Reading(cpuNanoseconds: cpuNanoseconds, at: now, cpuPermille: 0)
    }
    let elapsed = now - before.at
    guard elapsed >= shortestInterval else { return before }
    let available = elapsed.milliseconds * 1_000_000 * Int64(vcpus)
    // The hypervisor's own threads count too, so a busy machine can take more than its plan.
    let permille = min(1000, (cpuNanoseconds - before.cpuNanoseconds) * 1000 / available)
    return Reading(cpuNanoseconds: cpuNanoseconds, at: now, cpuPermille: Int(permille))
  }
}

extension UsageMeter.Written {
  /// What the store has not been told with the sample stays as it was.
  fileprivate init(_ sample: UsageSample, over before: Self?, in minute: Int64, _ month: Int) {
    self.init(
      cpuPermille: sample.cpuPermille, memoryUsedMiB: sample.memoryUsedMiB,
      diskUsedBytes: sample.diskUsedBytes ?? before?.diskUsedBytes, network: sample.network ?? before?.network,
      minute: minute, month: month, serverUpdatedAt: sample.serverUpdatedAt)
  }

  /// Whether it says what the sample says, or is close enough for this minute.
  fileprivate func holds(_ sample: UsageSample, in minute: Int64, _ month: Int) -> Bool {
    guard cpuPermille == sample.cpuPermille, memoryUsedMiB == sample.memoryUsedMiB, self.month == month else {
      return false
    }
    let change = max(
      Self.difference(diskUsedBytes, sample.diskUsedBytes),
      Self.difference(network?.receivedBytes, sample.network?.receivedBytes),
      Self.difference(network?.sentBytes, sample.network?.sentBytes))
    return change == 0 || change < UsageMeter.changeBytes && self.minute == minute
  }

  /// The largest number where it cannot be told. A guest may report any number.
  private static func difference(_ before: Int64?, _ now: Int64?) -> UInt64 {
    guard let now else { return 0 }
    guard let before else { return .max }
    let (difference, isTooLarge) = now.subtractingReportingOverflow(before)
    return isTooLarge ? .max : difference.magnitude
  }
}

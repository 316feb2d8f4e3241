import Core
import Foundation

extension SimulatedMachine {
  /// Until a guest has taken the memory that it works with.
  private static let settlingSeconds = 30.0

  func observed(at now: Timestamp, _ durations: GuestDurations) -> ObservedMachine {
    let power = power(at: now, durations)
    return ObservedMachine(power: power, usage: power.isOn ? usage(at: now, durations) : nil)
  }

  /// Numbers such as a real guest would show, computed from its uuid and the time alone: the counters never go back while it
  /// runs, and the same machine shows the same numbers at the same time. For a paused machine they stand still.
  func usage(at now: Timestamp, _ durations: GuestDurations) -> MachineUsage? {
    guard let boot else { return nil }
    let moment = boot.pausedAtMilliseconds.map { min($0, now.millisecondsSinceEpoch) } ?? now.millisecondsSinceEpoch
    let uptime = max(0, Double(moment - boot.startedAtMilliseconds) / 1000)
    let character = GuestCharacter(uuid)

    let bootSeconds = min(uptime, Double(durations.boot.milliseconds) / 1000)
    let busySeconds = bootSeconds * 0.9 + character.busySeconds(after: uptime)
    let memory = Double(boot.definition.memoryMiB)
    let levelled = min(1, uptime / Self.settlingSeconds)

    return MachineUsage(
      cpuNanoseconds: Int64(busySeconds * Double(boot.definition.vcpus) * 1_000_000_000),
      memoryUsedMiB: Int(memory * (0.12 + 0.5 * character.memoryShare * levelled)),
      diskUsedBytes: diskUsedBytes(at: Timestamp(millisecondsSinceEpoch: moment), of: character),
      network: NetworkCounters(
        receivedBytes: Int64(uptime * character.receivedBytesPerSecond),
        sentBytes: Int64(uptime * character.sentBytesPerSecond)))
  }

  func diskUsedBytes(at moment: Timestamp) -> Int64 { diskUsedBytes(at: moment, of: GuestCharacter(uuid)) }

  /// A disk fills with its age.
  private func diskUsedBytes(at moment: Timestamp, of character: GuestCharacter) -> Int64 {
    guard let disk else { return 0 }
    let age = max(0, Double(moment.millisecondsSinceEpoch - disk.createdAtMilliseconds) / 1000)
    let storage = Double(disk.storageGiB) * 1_073_741_824
    let filled = 1 - exp(-age / 86_400)
    return Int64(storage * (0.14 + 0.5 * character.diskShare * filled))
  }
}

/// What distinguishes one guest from another. Most of the time each is at rest, where its load stays the same; once in a period it
/// works for some minutes.
private struct GuestCharacter {
  /// As shares of all processors of the plan. In the middle between two permille, so that small delays of a measurement do not
  /// show.
  let restLoad: Double
  let workLoad: Double
  let periodSeconds: Double
  let workSeconds: Double
  let memoryShare: Double
  let diskShare: Double
  let receivedBytesPerSecond: Double
  let sentBytesPerSecond: Double

  init(_ uuid: UUID) {
    let hash = withUnsafeBytes(of: uuid.uuid) { StableHash.of($0) }
    func share(_ index: UInt64) -> Double {
      let mixed = (hash ^ (index &* 0x9e37_79b9_7f4a_7c15)) &* 0xbf58_476d_1ce4_e5b9
      return 0.05 + 0.95 * Double(mixed >> 40) / Double(1 << 24)
    }
    restLoad = ((20 * share(1)).rounded(.down) + 1.5) / 1000
    workLoad = ((500 * share(2)).rounded(.down) + 50.5) / 1000
    periodSeconds = 1800 + 5400 * share(7)
    workSeconds = 600 * share(8)
    memoryShare = share(3)
    diskShare = share(4)
    receivedBytesPerSecond = 200_000 * share(5)
    sentBytesPerSecond = 100_000 * share(6)
  }

  /// The integral of the load. It works at the end of each period.
  func busySeconds(after uptime: Double) -> Double {
    let periods = (uptime / periodSeconds).rounded(.down)
    let underWay = max(0, uptime - periods * periodSeconds - (periodSeconds - workSeconds))
    return restLoad * uptime + (workLoad - restLoad) * (periods * workSeconds + underWay)
  }
}

package import Core
package import Foundation
import Synchronization

extension SimulatedDriver {
  package func ensureCopied(_ machine: UUID, as copy: UUID) async throws -> CopyProgress {
    try await perform(.ensureCopied, machine) {
      try state.withLock { state in
        if let whole = state.copies[copy], whole.isWhole {
          guard whole.machine == machine else { throw Self.otherMachine(copy) }
          return .done(whole.copiedDisk)
        }
        let work = try state.copying[copy] ?? beginCopy(of: machine, as: copy, in: &state)
        let poweredOn = powerOnTime(of: machine, in: state)
        guard var half = state.copies[copy], work.poweredOnAtMilliseconds == poweredOn else {
          try removeCopy(copy, in: &state)
          throw DriverError(.busy, "Machine \(machine) was started or stopped while its disk was copied.")
        }
        guard work.isOver(at: clock.uptime, state.options.copyDuration) else { return .underWay }
        half.isWhole = true
        try saveCopy(half, in: &state)
        state.copying[copy] = nil
        return .done(half.copiedDisk)
      }
    }
  }

  package func ensureRestored(
    _ machine: UUID, from copy: UUID, checksum: String
  ) async throws -> RestoreProgress {
    try await perform(.ensureRestored, machine) {
      try state.withLock { state in
        guard let copied = state.copies[copy], copied.isWhole, copied.machine == machine else {
          throw DriverError(.notFound, "There is no copy \(copy) of machine \(machine).")
        }
        guard copied.checksum == checksum, !copied.isDamaged else {
          throw DriverError(
            .rejected, "Copy \(copy) is not what was written.", customerReason: "The copy of the disk is damaged.")
        }
        guard powerOnTime(of: machine, in: state) == nil else { throw Self.running(machine) }
        if state.restoring[machine]?.copy != copy {
          state.restoring[machine] = SimulatedDiskWork(copy: copy, begunAt: clock.uptime, poweredOnAtMilliseconds: nil)
        }
        try settleRestore(of: machine, in: &state)
        guard state.restoring[machine]?.isDone == true else { return .underWay }
        state.restoring[machine] = nil
        return .done
      }
    }
  }

  package func endRestore(of machine: UUID, from copy: UUID) async throws -> Bool {
    try await perform(.endRestore, machine) {
      state.withLock { state in
        let work = state.restoring.removeValue(forKey: machine)
        return work?.copy == copy && work?.isDone == true
      }
    }
  }

  /// A restore goes on between the calls: when its time has come the disk is replaced, whether anybody asks for that or not.
  func settleRestore(of machine: UUID, in state: inout State) throws(DriverError) {
    guard let work = state.restoring[machine], !work.isDone, work.isOver(at: clock.uptime, state.options.copyDuration),
      let copied = state.copies[work.copy], copied.isWhole, !copied.isDamaged
    else { return }
    var restored =
      state.machines[machine]
      ?? SimulatedMachine(machine, installation: installation, quirks: state.options.quirks)
    restored.disk = copied.disk
    try save(restored, in: &state)
    state.restoring[machine]?.isDone = true
  }

  package func ensureCopyAbsent(_ copy: UUID, of machine: UUID) async throws {
    try await perform(.ensureCopyAbsent, machine) {
      try state.withLock { state in
        guard state.copies[copy].map({ $0.machine == machine }) ?? true else { throw Self.otherMachine(copy) }
        if state.restoring[machine]?.copy == copy { state.restoring[machine] = nil }
        try removeCopy(copy, in: &state)
      }
    }
  }

  package func ensureDiskAbsent(_ machine: UUID) async throws {
    try await perform(.ensureDiskAbsent, machine) {
      try state.withLock { state in
        guard state.machines[machine] != nil else { return }
        guard powerOnTime(of: machine, in: state) == nil else { throw Self.running(machine) }
        state.restoring[machine] = nil
        var bare = try require(machine, in: state)
        bare.disk = nil
        try save(bare, in: &state)
      }
    }
  }

  /// Ends the copies and restores that are under way.
  package func endWork() async throws {
    try state.withLock { state in
      for copy in state.copying.keys { try removeCopy(copy, in: &state) }
      (state.restoring, state.receiving) = ([:], [:])
    }
  }

  func removeCopies(of machine: UUID, in state: inout State) throws(DriverError) {
    for copy in state.copies.values where copy.machine == machine { try removeCopy(copy.uuid, in: &state) }
    state.restoring[machine] = nil
  }

  private func beginCopy(of machine: UUID, as copy: UUID, in state: inout State) throws -> SimulatedDiskWork {
    let copied = try require(machine, in: state)
    guard let disk = copied.disk else { throw Self.missingDisk(machine) }
    guard try state.kept().disks?.owns(machine) ?? true else {
      throw DriverError(.busy, "The disk of \(machine) is another host's.")
    }
    guard !copied.runsRescue else {
      throw DriverError(
        .rejected, "A rescue system has the disk of \(machine) in its hands.",
        customerReason: "The server is in the rescue system.")
    }
    try saveCopy(
      SimulatedCopy(
        copy, of: machine, installation: installation, disk: disk, sizeBytes: copied.diskUsedBytes(at: clock.now)),
      in: &state)
    let work = SimulatedDiskWork(
      copy: copy, begunAt: clock.uptime, poweredOnAtMilliseconds: powerOnTime(of: machine, in: state))
    state.copying[copy] = work
    return work
  }

  /// Nil for a machine that is off, or not there.
  private func powerOnTime(of machine: UUID, in state: State) -> Int64? {
    var machine = state.machines[machine]
    machine?.settle(at: clock.now, state.options.durations)
    return machine?.boot?.startedAtMilliseconds
  }

  func saveCopy(_ copy: SimulatedCopy, in state: inout State) throws(DriverError) {
    try state.kept().copies.write(copy)
    state.copies[copy.uuid] = copy
  }

  private func removeCopy(_ copy: UUID, in state: inout State) throws(DriverError) {
    let folder = try state.kept().copies
    guard try !folder.isForeign(copy) else { return }
    state.copying[copy] = nil
    try folder.remove(copy)
    state.copies[copy] = nil
  }

  private static func running(_ machine: UUID) -> DriverError {
    DriverError(.rejected, "Machine \(machine) runs.", customerReason: "The server is running.")
  }

  private static func otherMachine(_ copy: UUID) -> DriverError {
    DriverError(.rejected, "Copy \(copy) is of another machine.")
  }
}

// MARK: For tests and demonstrations

extension SimulatedDriver {
  /// The record of a copy, whole or not.
  package func copy(_ uuid: UUID) -> SimulatedCopy? { copies[uuid] }

  /// All copies, whole or not.
  package var copies: [UUID: SimulatedCopy] {
    state.withLock { state in
      try? state.readRecords()
      return state.copies
    }
  }

  /// Changes what is stored of the copy, as a damaged disk does.
  package func damageCopy(_ uuid: UUID) throws {
    try state.withLock { state in
      try state.readRecords()
      guard var copy = state.copies[uuid] else { throw DriverError(.notFound, "There is no copy \(uuid).") }
      copy.disk.content = (copy.disk.content ?? "") + "\u{1}"
      try saveCopy(copy, in: &state)
    }
  }

  /// Someone removed the copy's file behind our back.
  package func loseCopy(_ uuid: UUID) throws {
    try state.withLock { state in
      try state.readRecords()
      try removeCopy(uuid, in: &state)
    }
  }
}

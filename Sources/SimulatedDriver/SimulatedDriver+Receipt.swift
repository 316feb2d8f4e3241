package import Core
package import Foundation
import Synchronization

/// Machines that come from another simulated host. While one is under way there is a half of it here, which has no definition.
extension SimulatedDriver: MachineReceiver {
  package func canReceive(from source: any ComputeDriver) -> Bool {
    guard let source = source as? SimulatedDriver else { return false }
    return source !== self && source.installation == installation
  }

  package func ensureReceived(_ machine: UUID, from source: any ComputeDriver) async throws -> ReceiptProgress {
    try await perform(.ensureReceived, machine) {
      if try hasWhole(machine) { return .done }
      let sent = try luggage(of: machine, at: source)
      return try state.withLock { state in
        guard let begun = state.receiving[machine] else {
          var half = sent.machine
          half.isArriving = true
          half.definition = nil
          try removeCopies(of: machine, in: &state)
          try save(half, in: &state)
          state.receiving[machine] = clock.uptime
          return .underWay
        }
        guard clock.uptime >= begun + state.options.receiptDuration else { return .underWay }
        // Where both hosts reach the disk, it changes hands as it is.
        _ = try state.kept().disks?.take(machine)
        for copy in sent.copies { try saveCopy(copy, in: &state) }
        try save(sent.machine, in: &state)
        state.receiving[machine] = nil
        return .done
      }
    }
  }

  package func endReceipt(of machine: UUID, from source: any ComputeDriver) async throws -> Bool {
    try await perform(.endReceipt, machine) {
      if try hasWhole(machine) { return true }
      try remove(machine)
      try state.withLock { state in
        state.receiving[machine] = nil
        try removeCopies(of: machine, in: &state)
      }
      return false
    }
  }

  package func ensureLeft(_ machine: UUID, to home: any ComputeDriver) async throws {
    guard let home = home as? SimulatedDriver, reachesDisks(of: home) else { return try await ensureAbsent(machine) }
    try await perform(.ensureAbsent, machine) {
      try remove(machine, erases: false)
      state.withLock { state in
        state.receiving[machine] = nil
        state.forgetCopies(of: machine)
      }
    }
  }

  private func hasWhole(_ machine: UUID) throws(DriverError) -> Bool {
    state.withLock { $0.machines[machine].map { !$0.isUnderWay } ?? false }
  }

  /// What the source has of a machine that is off, with its complete copies.
  private func luggage(
    of machine: UUID, at source: any ComputeDriver
  ) throws -> (machine: SimulatedMachine, copies: [SimulatedCopy]) {
    guard let source = source as? SimulatedDriver, canReceive(from: source) else {
      throw DriverError(.rejected, "Machine \(machine) is to come from a host of another kind.")
    }
    guard source.options.condition == .answers else {
      throw DriverError(.unreachable, "The host that machine \(machine) comes from does not answer.")
    }
    try source.look(at: nil)
    return try source.state.withLock { state in
      try state.readRecords()
      var sent = try source.require(machine, in: state)
      sent.settle(at: clock.now, state.options.durations)
      guard !sent.isUnderWay else { throw DriverError(.notFound, "Machine \(machine) is not whole at its source.") }
      guard sent.boot == nil else { throw DriverError(.rejected, "Machine \(machine) runs.") }
      guard sent.disk != nil else { throw Self.missingDisk(machine) }
      return (sent, state.copies.values.filter { $0.machine == machine && $0.isWhole })
    }
  }
}

extension SimulatedDriver: MachineHeir {
  package func canInherit(from source: any ComputeDriver) -> Bool {
    guard let source = source as? SimulatedDriver else { return false }
    return source.installation == installation && reachesDisks(of: source)
  }

  package func ensureInherited(_ machine: UUID) async throws {
    guard storage != nil else {
      throw DriverError(.rejected, "The disks of this host are its own.")
    }
    try await perform(.ensureInherited, machine) {
      try state.withLock { state in
        let folders = try state.kept()
        guard let shared = try folders.disks?.take(machine), state.machines[machine]?.boot == nil else { return }
        var inherited = SimulatedMachine(machine, installation: installation, quirks: state.options.quirks)
        (inherited.disk, inherited.rescueDisk) = (shared.disk, shared.rescueDisk)
        state.receiving[machine] = nil
        for copy in try folders.copies.load().values where copy.machine == machine { state.copies[copy.uuid] = copy }
        try save(inherited, in: &state)
      }
    }
  }

  fileprivate func reachesDisks(of other: SimulatedDriver) -> Bool {
    guard let storage, let others = other.storage else { return false }
    return storage.isBeside(others)
  }
}

extension SimulatedMachine {
  /// Whether only a part of it has come from another host so far.
  var isUnderWay: Bool { isArriving == true }
}

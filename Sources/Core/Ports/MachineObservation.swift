package import struct Foundation.UUID

/// All machines of a host as seen in one observation. A machine that is missing here may still exist on another host.
package struct MachineObservation: Sendable, Equatable {
  package let machines: [UUID: ObservedMachine]

  package init(machines: [UUID: ObservedMachine]) {
    self.machines = machines
  }

  /// - Parameter usage: That of other machines than those of `powers` counts for nothing.
  package init(powers: [UUID: MachinePower], usage: [UUID: MachineUsage] = [:]) {
    let seen = powers.map { machine, power in (machine, ObservedMachine(power: power, usage: usage[machine])) }
    machines = Dictionary(uniqueKeysWithValues: seen)
  }

  package var powers: [UUID: MachinePower] { machines.mapValues(\.power) }

  package var usage: [UUID: MachineUsage] { machines.compactMapValues(\.usage) }

  package func power(of machine: UUID) -> MachinePower { machines[machine]?.power ?? .absent }
}

package struct ObservedMachine: Sendable, Equatable {
  package let power: MachinePower
  /// Nil for a machine that is off, or could not be measured.
  package let usage: MachineUsage?

  package init(power: MachinePower, usage: MachineUsage? = nil) {
    self.power = power
    self.usage = usage
  }
}

/// Counters and levels of a running machine. What could not be measured is nil.
package struct MachineUsage: Sendable, Equatable {
  /// Host CPU time since power on, in nanoseconds.
  package let cpuNanoseconds: Int64
  package let memoryUsedMiB: Int?
  package let diskUsedBytes: Int64?
  package let network: NetworkCounters?

  package init(cpuNanoseconds: Int64, memoryUsedMiB: Int?, diskUsedBytes: Int64?, network: NetworkCounters?) {
    self.cpuNanoseconds = cpuNanoseconds
    self.memoryUsedMiB = memoryUsedMiB
    self.diskUsedBytes = diskUsedBytes
    self.network = network
  }
}

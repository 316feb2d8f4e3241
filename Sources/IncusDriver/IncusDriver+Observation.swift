package import Core
package import Foundation

extension IncusDriver {
  package func power(of machine: UUID) async throws -> MachinePower {
    try await DriverError.translating {
      if let instance = try await anyInstance(of: machine) { return isHere(instance) ? instance.power : .absent }
      return try await hasCopies(machine) ? .remnant : .absent
    }
  }

  package func observe() async throws -> MachineObservation {
    try await DriverError.translating {
      async let copied = try? machinesWithCopies()
      async let counted = countedTraffic()
      let answer = try await cluster.instances()
      var powers: [UUID: MachinePower] = [:]
      var elsewhere: Set<UUID> = []
      for instance in answer.value {
        guard let machine = instance.machine(of: configuration.installation) else {
          if let machine = instance.unreadableMachine { elsewhere.insert(machine) }
          continue
        }
        if isHere(instance) { powers[machine] = instance.power } else { elsewhere.insert(machine) }
      }
      // Copies are the whole cluster's: those of another member's machines are no remnants here.
      for machine in await copied ?? [] where powers[machine] == nil && !elsewhere.contains(machine) {
        powers[machine] = .remnant
      }
      // What is measured must not hold up what is true, and nothing is while a member keeps all waiting.
      var usage = answer.isOld || !powers.values.contains(where: \.isOn) ? [:] : await cluster.usage()
      usage = usage.filter { powers[$0.key]?.isOn == true }
      // What passes the host's packet filter is what counts.
      if links != nil {
        let traffic = await counted
        usage = Dictionary(uniqueKeysWithValues: usage.map { ($0, $1.with(network: traffic?[$0])) })
      }
      return MachineObservation(powers: powers, usage: usage)
    }
  }

  /// Whether it is this host's, wherever an operator has moved it.
  func isHere(_ instance: Instance) -> Bool {
    configuration.member == nil || instance.home == configuration.member
  }
}

extension MachineUsage {
  fileprivate func with(network: NetworkCounters?) -> MachineUsage {
    MachineUsage(
      cpuNanoseconds: cpuNanoseconds, memoryUsedMiB: memoryUsedMiB, diskUsedBytes: diskUsedBytes, network: network)
  }
}

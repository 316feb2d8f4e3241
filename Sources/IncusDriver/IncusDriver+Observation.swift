package import Core
package import Foundation

extension IncusDriver {
  package func power(of machine: UUID) async throws -> MachinePower {
    try await DriverError.translating {
      guard let instance = try await settledInstance(of: machine) else {
        return try await hasCopies(machine) ? .remnant : .absent
      }
      return isHere(instance) ? instance.power : .absent
    }
  }

  /// Once it is written down how it ended, if it did.
  private func settledInstance(of machine: UUID) async throws -> Instance? {
    while true {
      let found = try await anyInstance(of: machine)
      guard let instance = found, isHere(instance), cluster.endings.isFresh(machine, instance) else { return found }
      try await clock.sleep(for: .milliseconds(100))
    }
  }

  package func observe() async throws -> MachineObservation {
    try await DriverError.translating {
      try cluster.requireHeed()
      async let copied = try? machinesWithCopies()
      async let counted = countedTraffic()
      let answer = try await cluster.instances()
      var powers: [UUID: MachinePower] = [:]
      var (elsewhere, replacements): (Set<UUID>, Set<UUID>) = ([], [])
      for instance in answer.value {
        guard let machine = instance.machine(of: configuration.installation) else {
          if let machine = instance.unreadableMachine { elsewhere.insert(machine) }
          if let machine = instance.replacedMachine(of: configuration.installation), isHere(instance) {
            replacements.insert(machine)
          }
          continue
        }
        guard isHere(instance) else {
          elsewhere.insert(machine)
          continue
        }
        // The next look tells how it ended.
        powers[machine] = cluster.endings.isFresh(machine, instance) ? .off(.unknown) : instance.power
      }
      cluster.endings.keep(Set(answer.value.compactMap { $0.machine(of: configuration.installation) }))
      for machine in replacements where powers[machine] == nil { powers[machine] = .remnant }
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

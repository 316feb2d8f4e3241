package import Core
package import Foundation

extension IncusDriver {
  package func power(of machine: UUID) async throws -> MachinePower {
    try await DriverError.translating {
      if let instance = try await instance(of: machine) { return instance.power }
      return try await hasCopies(machine) ? .remnant : .absent
    }
  }

  package func observe() async throws -> MachineObservation {
    try await DriverError.translating {
      // Beside each other: what is measured must not hold up what is true.
      async let measured = usage()
      async let copied = try? machinesWithCopies()
      async let counted = countedTraffic()
      var powers: [UUID: MachinePower] = [:]
      var elsewhere: Set<UUID> = []
      for instance in try await instances() {
        guard let machine = instance.machine(of: configuration.installation) else { continue }
        if isHere(instance) { powers[machine] = instance.power } else { elsewhere.insert(machine) }
      }
      // Copies are the whole cluster's: those of another member's machines are no remnants here.
      for machine in await copied ?? [] where powers[machine] == nil && !elsewhere.contains(machine) {
        powers[machine] = .remnant
      }
      var usage = await measured.filter { powers[$0.key]?.isOn == true }
      // What passes the host's packet filter is what counts.
      if links != nil {
        let traffic = await counted
        usage = Dictionary(uniqueKeysWithValues: usage.map { ($0, $1.with(network: traffic?[$0])) })
      }
      return MachineObservation(powers: powers, usage: usage)
    }
  }

  func isHere(_ instance: Instance) -> Bool {
    configuration.member == nil || instance.location == configuration.member
  }

  /// Nothing where it cannot be had in time.
  private func usage() async -> [UUID: MachineUsage] {
    let filter = "config.\(MarkKey.installation.rawValue) eq \(configuration.installation.text)"
    let measured = try? await client.get(
      IncusPath("instances", query: ["recursion": "2", "filter": filter]), as: [MeasuredInstance].self,
      within: IncusDeadline.instance, mostBytes: 64 << 20)
    var usage: [UUID: MachineUsage] = [:]
    for instance in measured ?? [] {
      guard let machine = instance.config[MarkKey.machine.rawValue].flatMap(UUID.init(uuidString:)),
        instance.config[MarkKey.installation.rawValue] == configuration.installation.text
      else { continue }
      usage[machine] = instance.state?.usage
    }
    return usage
  }
}

extension MachineUsage {
  fileprivate func with(network: NetworkCounters?) -> MachineUsage {
    MachineUsage(
      cpuNanoseconds: cpuNanoseconds, memoryUsedMiB: memoryUsedMiB, diskUsedBytes: diskUsedBytes, network: network)
  }
}

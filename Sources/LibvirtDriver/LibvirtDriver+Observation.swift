package import Core
package import Foundation

extension LibvirtDriver {
  package func power(of machine: UUID) async throws -> MachinePower {
    let folders = [files(of: machine).folder, copyFiles(of: machine).folder]
    return try await onLibvirt("look at the machine") { connection in
      guard let domain = try ownership.domain(machine, on: connection) else {
        return folders.contains(where: MachineFiles.exists) ? .remnant : .absent
      }
      return power(of: domain, in: try domain.state())
    }
  }

  package func observe() async throws -> [UUID: MachineObservation] {
    let (folders, domains) = try await onLibvirt("observe the machines", within: .seconds(20)) { connection in
      // The folders first: a machine that is being made has its folder before its domain, and is no remnant.
      let folders = try ServerFiles.machines(dataDirectory: configuration.dataDirectory)
        .union(
          try CopyFiles.machines(
            copyDirectory: configuration.copyDirectory, installation: configuration.installation))
      return (folders, try ownership.filter(try connection.statistics()))
    }
    var observations: [UUID: MachineObservation] = [:]
    var running: Set<UUID> = []
    for machine in folders where domains[machine] == nil {
      observations[machine] = MachineObservation(power: .remnant, usage: nil)
    }
    for (machine, statistics) in domains {
      let power = power(of: statistics.domain, in: statistics.state)
      var usage: MachineUsage?
      if let runID = statistics.domain.runID, power == .running || power == .paused {
        running.insert(machine)
        thawIfForgotten(machine)
        usage = self.usage(of: machine, runID: runID, statistics)
      }
      observations[machine] = MachineObservation(power: power, usage: usage)
    }
    readings.retain(running)
    return observations
  }

  private func power(of domain: Domain, in state: DomainState) -> MachinePower {
    let power = state.power
    guard power == .off(.guestShutdown) else { return power }
    let log = hypervisor.daemon.logPath(domain: domain.name)
    return QEMULog.endedBySignal(path: log) ? .off(.other) : power
  }

  private func usage(of machine: UUID, runID: Int, _ statistics: DomainStatistics) -> MachineUsage? {
    readGuestIfDue(machine, runID: runID)
    guard let cpuNanoseconds = statistics.cpuNanoseconds else { return nil }
    let reading = readings.reading(of: machine, runID: runID)
    return MachineUsage(
      cpuNanoseconds: cpuNanoseconds, memoryUsedMiB: statistics.memoryUsedMiB,
      diskUsedBytes: reading.diskUsedBytes ?? statistics.diskAllocatedBytes, network: reading.network)
  }

  /// Asks the guest beside the observation; the next one has the answer.
  private func readGuestIfDue(_ machine: UUID, runID: Int) {
    guard let due = readings.claim(machine, runID: runID) else { return }
    let files = files(of: machine)
    Task {
      let reading = try? await onGuest(machine, "read the guest's counters") { domain in
        files.trimConsole()
        let agent = GuestAgent(domain: domain)
        return GuestReadings.Reading(
          network: due.network ? try agent.networkCounters() : nil,
          diskUsedBytes: due.disk ? try agent.rootFileSystemUsedBytes() : nil)
      }
      readings.finish(machine, runID: runID, due: due, reading: reading)
    }
  }
}

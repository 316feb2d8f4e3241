package import Core
package import Foundation

extension LibvirtDriver {
  package func power(of machine: UUID) async throws -> MachinePower {
    let files = files(of: machine)
    let seen = try await onLibvirt("look at the machine") { connection -> MachinePower in
      guard let domain = try ownership.domain(machine, on: connection) else {
        return MachineFiles.exists(files.folder) ? .remnant : .absent
      }
      return power(of: domain, in: try domain.state())
    }
    guard seen == .absent else { return seen }
    let copies = copyFiles(of: machine)
    return try await onCopies("look for copies") { MachineFiles.exists(copies.folder) ? .remnant : .absent }
  }

  package func observe() async throws -> [UUID: MachineObservation] {
    let copied = await machinesWithCopies()
    let (folders, domains) = try await onLibvirt("observe the machines", within: .seconds(20)) { connection in
      // The folders first: a machine that is being made has its folder before its domain, and is no remnant.
      let folders = try ServerFiles.machines(dataDirectory: configuration.dataDirectory)
      return (folders, try ownership.filter(try connection.statistics()))
    }
    var observations: [UUID: MachineObservation] = [:]
    var running: Set<UUID> = []
    for machine in folders.union(copied) where domains[machine] == nil {
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

  /// Read before the domains are, and for want of better none: an observation of what runs does not wait for copies.
  private func machinesWithCopies() async -> Set<UUID> {
    let machines = try? await onCopies("list the copies", within: .seconds(5)) {
      try CopyFiles.machines(
        copyDirectory: configuration.copyDirectory, installation: configuration.installation)
    }
    return machines ?? []
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

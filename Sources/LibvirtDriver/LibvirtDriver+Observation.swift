package import Core
package import Foundation
import HostImages
import HostPrograms

extension LibvirtDriver {
  /// Runs the driver's background work until the task is cancelled.
  package func run() async {
    await withDiscardingTaskGroup { group in
      group.addTask { await consoleLogs.run() }
      group.addTask { await readings.run(readGuest ?? askAgent) }
      group.addTask { await keepNetwork() }
      group.addTask { await lookForImages() }
      group.addTask { await keepTemplates() }
    }
  }

  /// An image that is known to be missing may have been added by hand.
  private func lookForImages() async {
    while !Task.isCancelled {
      try? await clock.sleep(for: .seconds(5))
      try? await onFiles("look for images") { downloads.lookAgain() }
    }
  }

  private func keepNetwork() async {
    let stop = StopSignal()
    await withTaskCancellationHandler {
      await withCheckedContinuation { continuation in
        let thread = Thread {
          network.keep(until: stop)
          continuation.resume()
        }
        thread.name = "network"
        thread.start()
      }
    } onCancel: {
      stop.set()
    }
  }

  package func power(of machine: UUID) async throws -> MachinePower {
    let seen = try await onLibvirt("look at the machine") { connection -> (name: String, power: MachinePower)? in
      guard let domain = try ownership.domain(machine, on: connection) else { return nil }
      return (domain.name, try domain.state().power)
    }
    if let seen { return try await onFiles("read how it ended") { power(seen.power, of: seen.name) } }
    let files = files(of: machine)
    if try await onFiles("look for files", { MachineFiles.exists(files.folder) }) { return .remnant }
    let copies = copyFiles(of: machine)
    return try await onCopies("look for copies") { MachineFiles.exists(copies.folder) ? .remnant : .absent }
  }

  package func observe() async throws -> MachineObservation {
    let copied = await machinesWithCopies()
    var inMaking = try await templatesInMaking()
    // The folders are listed before the domains: a machine that is being made has its folder first, and is no remnant.
    let folders = try await onFiles("list the servers", within: .seconds(20)) {
      try ServerFiles.machines(dataDirectory: configuration.dataDirectory)
    }
    let seen = try await onLibvirt("observe the machines", within: .seconds(20)) { [inMaking] connection in
      let owned = try ownership.filter(try connection.statistics())
      // The agent of a template is asked nothing: a half sent answer would be in each machine that is made from it.
      noteRunning(owned.filter { !inMaking.contains($0.key) })
      return owned
    }
    var powers = try await onFiles("read how machines ended", within: .seconds(20)) {
      // If it cannot be written, the next observation tries again.
      if !configuration.onlyLooks { try? runningPorts.record() }
      return seen.mapValues { power($0.state.power, of: $0.domain.name) }
    }
    if !configuration.onlyLooks { await thawForgotten(among: Array(powers.filter { $0.value == .running }.keys)) }
    let counters = try? await onNetwork("read the host's counters", within: .seconds(20)) { try network.counters() }
    var measured: [UUID: MachineUsage] = [:]
    for (machine, statistics) in seen {
      measured[machine] = usage(of: machine, statistics, counters: counters?[machine])
    }
    for machine in folders.union(copied) where seen[machine] == nil { powers[machine] = .remnant }
    // Some have begun since, and some have ended.
    inMaking.formUnion(try await templatesInMaking())
    for machine in inMaking {
      powers[machine] = nil
      measured[machine] = nil
    }
    return MachineObservation(powers: powers, usage: measured)
  }

  /// The machines from which templates are being made: no servers, and no remnants while their process lives.
  func templatesInMaking() async throws -> Set<UUID> {
    try await onFiles("list the templates", within: .seconds(20)) { try templates.inMaking() }
  }

  /// The machines with copies; empty if the list takes too long, because the observation of running machines does not wait for
  /// it. Must be called before the domains are read.
  private func machinesWithCopies() async -> Set<UUID> {
    let machines = try? await onCopies("list the copies", within: .seconds(5)) {
      try CopyFiles.machines(
        copyDirectory: configuration.copyDirectory, installation: configuration.installation)
    }
    return machines ?? []
  }

  /// Notes what is running, so that guests are asked and SSH ports reported by what each machine was started with. Blocks.
  private func noteRunning(_ owned: [UUID: DomainStatistics]) {
    let running = owned.compactMapValues(\.runID)
    for (machine, runID) in running where !runningPorts.isKnown(machine, runID: runID) {
      guard let mark = try? owned[machine]?.domain.mark() else { continue }
      runningPorts.note(machine, runID: runID, as: mark)
    }
    runningPorts.retain(running.keys)
    banners.retain(running.keys)
    readings.noteRunning(running)
  }

  /// Blocks, because it reads a file.
  private func power(_ power: MachinePower, of name: String) -> MachinePower {
    guard power == .off(.guestShutdown) else { return power }
    let log = hypervisor.daemon.logPath(domain: name)
    return QEMULog.endedBySignal(path: log) ? .off(.other) : power
  }

  private func usage(
    of machine: UUID, _ statistics: DomainStatistics, counters: NetworkCounters?
  ) -> MachineUsage? {
    guard let runID = statistics.runID, let cpuNanoseconds = statistics.cpuNanoseconds else { return nil }
    let reading = readings.reading(of: machine, runID: runID)
    return MachineUsage(
      cpuNanoseconds: cpuNanoseconds, memoryUsedMiB: statistics.memoryUsedMiB,
      diskUsedBytes: reading.diskUsedBytes ?? statistics.diskAllocatedBytes,
      network: network.countsTraffic ? counters : reading.network)
  }

  private func askAgent(_ machine: UUID, _ due: GuestReadings.Due) async throws -> GuestReadings.Reading {
    try await onGuest(machine, "read the guest's counters", within: .seconds(10), on: readingThreads) { domain in
      let agent = GuestAgent(domain: domain)
      return GuestReadings.Reading(
        network: due.network && !network.countsTraffic ? try agent.networkCounters() : nil,
        diskUsedBytes: due.disk ? try agent.rootFileSystemUsedBytes() : nil)
    }
  }
}

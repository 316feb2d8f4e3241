import Core
import Foundation
import HostPrograms
import Logging
import PrivateFiles

/// Copies of running machines, which QEMU makes. A paused machine is copied the same way, because its QEMU holds the disk, but
/// its guest cannot be asked to freeze its file systems.
extension LibvirtDriver {
  func backUp(_ machine: UUID, to partial: String, bytes: Int64) async throws {
    let runID = try await beginBackup(of: machine, to: partial)
    let deadline = clock.uptime + Self.limit(for: bytes)
    let name = (partial as NSString).lastPathComponent
    var pause: Duration = .milliseconds(100)
    while true {
      try await clock.sleep(for: pause)
      let hasEnded = try await onDomain(machine, "look at the backup") { domain in
        guard domain.runID == runID else { throw Self.stoppedMeanwhile(machine) }
        do {
          if try domain.backupDescription()?.contains(name) == true { return false }
          guard let failure = try domain.lastBackupFailure() else { return true }
          let kind: DriverError.Kind = failure.contains("No space left on device") ? .exhausted : .unreachable
          throw DriverError(kind, "the backup of \(domain.name) failed: \(failure)")
        } catch let error as LibvirtError {
          guard try domain.isActive() else { throw Self.stoppedMeanwhile(machine) }
          throw error
        }
      }
      if hasEnded { return }
      guard clock.uptime < deadline else { throw DriverError(.unreachable, "the backup to \(partial) takes too long") }
      pause = min(pause * 2, .seconds(1))
    }
  }

  private static func stoppedMeanwhile(_ machine: UUID) -> DriverError {
    DriverError(.busy, "the machine \(machine.text) was stopped while its disk was copied")
  }

  /// The copy shows the disk as of this moment. Returns the run ID of the machine.
  private func beginBackup(of machine: UUID, to partial: String) async throws -> Int {
    let mayBeFrozen = await freeze(machine)
    let result: Result<Int, any Error>
    do {
      let runID = try await onDomain(machine, "begin the backup") { domain in
        guard let runID = domain.runID else { throw Self.stoppedMeanwhile(machine) }
        try domain.beginBackup(to: partial)
        return runID
      }
      result = .success(runID)
    } catch {
      result = .failure(error)
    }
    if mayBeFrozen {
      // A new task is not cancelled with this one. If it fails, the next observation tries again.
      await Task { try? await thaw(machine, within: .seconds(30)) }.value
    }
    return try result.get()
  }

  /// Ends the machine's backup into this copy if it is under way; with nil, into any copy.
  func endBackup(of machine: UUID, as copy: UUID?) async throws {
    let folder = "/\(configuration.installation.text)/\(machine.text)/"
    let mark = copy.map { "\(folder)\($0.text)." } ?? folder
    let deadline = clock.uptime + .seconds(60)
    while true {
      let isGone = try await onLibvirt("end a backup") { connection in
        guard let domain = try ownership.domain(machine, on: connection), try domain.isActive() else { return true }
        do {
          guard let backup = try domain.backupDescription(), backup.contains(mark) else { return true }
          try domain.abortJob()
        } catch let error as LibvirtError {
          guard (try? domain.isActive()) == true else { return true }
          // The backup may just have ended.
          if (try? domain.backupDescription()) != nil { throw error }
        }
        return false
      }
      if isGone { return }
      guard clock.uptime < deadline else { throw DriverError(.busy, "a backup of \(machine.text) does not end") }
      try await DriverError.translating { try await clock.sleep(for: .milliseconds(200)) }
    }
  }

  // MARK: - Freezing the file systems

  /// Returns whether the guest's file systems may be frozen now, and have to be thawed. A guest that does not answer is copied
  /// without a freeze, as after a power failure.
  private func freeze(_ machine: UUID) async -> Bool {
    let mark = files(of: machine).frozenMark
    let onTimeout = StopSignal()
    // A process that died may have left the guest frozen.
    if await mayBeFrozen(machine) { try? await thaw(machine, within: .seconds(30)) }
    do {
      try await onGuest(machine, "ping the agent") { domain in
        guard try domain.state().power == .running else { throw DriverError(.busy, "the machine is paused") }
        try GuestAgent(domain: domain).ping()
      }
      // The mark outlives this process, so that the next one can thaw the guest.
      try await onFiles("mark the machine as frozen") { try PrivateFile.write([], to: mark) }
      try await onGuest(machine, "freeze the file systems", within: .seconds(40)) { domain in
        let agent = GuestAgent(domain: domain)
        try agent.freezeFileSystems()
        // After a timeout the caller may have thawed before this late freeze took effect.
        if onTimeout.isSet { try agent.thawFileSystems() }
      }
    } catch {
      onTimeout.set()
      logger.info(
        "a disk is copied without freezing the guest's file systems",
        metadata: ["machine": "\(machine.text)", "error": "\(error)"])
    }
    return await mayBeFrozen(machine)
  }

  /// True also where it cannot be determined.
  private func mayBeFrozen(_ machine: UUID) async -> Bool {
    let mark = files(of: machine).frozenMark
    return (try? await onFiles("look whether it is frozen") { MachineFiles.exists(mark) }) ?? true
  }

  /// Retries until the guest has thawed its file systems, or does not run.
  func thaw(_ machine: UUID, within limit: Duration) async throws {
    let mark = files(of: machine).frozenMark
    let deadline = clock.uptime + limit
    while true {
      do {
        try await onGuest(machine, "thaw the file systems", within: .seconds(40)) { domain in
          if try domain.isActive() { try GuestAgent(domain: domain).thawFileSystems() }
        }
        break
      } catch let error as DriverError {
        if error.kind == .notFound { break }
        guard clock.uptime < deadline else {
          logger.error(
            "the file systems of a guest may be frozen still",
            metadata: ["machine": "\(machine.text)", "detail": "\(error.detail)"])
          throw error
        }
        try await DriverError.translating { try await clock.sleep(for: .seconds(1)) }
      }
    }
    try await onFiles("forget that the machine was frozen") { try MachineFiles.remove(mark) }
  }

  /// Thaws guests that a process left frozen when it died.
  func thawForgotten(among machines: [UUID]) async {
    let frozen = try? await onFiles("look for guests that are frozen", within: .seconds(20)) {
      machines.filter { MachineFiles.exists(files(of: $0).frozenMark) }
    }
    for machine in frozen ?? [] where !work.isRunning(on: machine) {
      _ = try? work.isDone(.init(machine: machine, purpose: .thaw)) { try await thaw(machine, within: .zero) }
    }
  }
}

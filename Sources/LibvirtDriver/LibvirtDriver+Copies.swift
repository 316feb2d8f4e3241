package import Core
package import Foundation
import HostImages
import HostPrograms

extension LibvirtDriver {
  package func ensureCopied(_ machine: UUID, as copy: UUID) async throws -> CopyProgress {
    let (files, copies) = (files(of: machine), copyFiles(of: machine))
    let copied = try await onCopies("look at the copy") {
      let copied = try copies.copiedDisk(copy)
      guard copied != nil || MachineFiles.exists(files.disk) else { throw Self.missingDisk(files) }
      return copied
    }
    if let copied { return .done(copied) }
    if MachineFiles.exists(files.rescueDisk), try await isActive(machine) { throw Self.rescued(machine) }
    try await DriverError.translating {
      _ = try work.isDone(.init(machine: machine, purpose: .copy(copy))) { try await copyDisk(of: machine, as: copy) }
    }
    return .underWay
  }

  package func ensureRestored(
    _ machine: UUID, from copy: UUID, checksum: String
  ) async throws -> RestoreProgress {
    let copies = copyFiles(of: machine)
    try await onCopies("look at the copy") {
      guard MachineFiles.exists(copies.path(of: copy)) else {
        throw DriverError(
          .notFound, "there is no file \(copies.path(of: copy))", customerReason: "The copy of the disk is missing.")
      }
      if let copied = try copies.copiedDisk(copy), copied.checksum != checksum { throw Self.damagedCopy(copies, copy) }
    }
    guard try await !isActive(machine) else { throw Self.running(machine) }
    return try await DriverError.translating {
      let key = DiskWork.Key(machine: machine, purpose: .restore(copy))
      try await work.end { $0.machine == machine && $0.isRestore && $0 != key }
      let isDone = try work.isDone(key) { try await restoreDisk(of: machine, from: copy, checksum: checksum) }
      return isDone ? .done : .underWay
    }
  }

  package func endRestore(of machine: UUID, from copy: UUID) async throws -> Bool {
    let key = DiskWork.Key(machine: machine, purpose: .restore(copy))
    return try await DriverError.translating {
      try await work.end { $0.machine == machine && $0.isRestore && $0 != key }
      return try await work.end(key)
    }
  }

  package func ensureCopyAbsent(_ copy: UUID, of machine: UUID) async throws {
    try await DriverError.translating {
      try await work.end { $0.machine == machine && [.copy(copy), .restore(copy)].contains($0.purpose) }
    }
    try await endBackup(of: machine, as: copy)
    try await onCopies("remove the copy") { try copyFiles(of: machine).remove(copy) }
  }

  package func ensureDiskAbsent(_ machine: UUID) async throws {
    guard try await !isActive(machine) else { throw Self.running(machine) }
    try await DriverError.translating { try await work.end { $0.machine == machine && $0.isRestore } }
    try await onFiles("remove the disk") { try files(of: machine).removeDisk() }
  }

  /// Ends all downloads and disk work with their cleanup, before the process exits.
  package func endWork() async throws {
    // Downloads are ended even if the work cannot be ended.
    async let downloads: Void = onFiles("end downloads") { self.downloads.end() }
    try await DriverError.translating { try await work.end { _ in true } }
    try await downloads
  }

  /// The copies that this host has, whole or in part, by machine.
  package func copiesOnHost() async throws -> [UUID: Set<UUID>] {
    try await onCopies("list the copies") {
      let machines = try CopyFiles.machines(
        copyDirectory: configuration.copyDirectory, installation: configuration.installation)
      return try Dictionary(uniqueKeysWithValues: machines.map { ($0, try copyFiles(of: $0).copies()) })
    }
  }

  /// The copies may be on another disk or another host, so they have threads of their own: if that storage hangs, nothing else
  /// does.
  func onCopies<Value: Sendable>(
    _ what: String, within limit: Duration = .seconds(60), _ body: @escaping @Sendable () throws -> Value
  ) async throws -> Value {
    try await DriverError.translating { try await copyThreads.run(what, within: limit, body) }
  }

  func copyFiles(of machine: UUID) -> CopyFiles {
    CopyFiles(
      copyDirectory: configuration.copyDirectory, installation: configuration.installation, machine: machine)
  }

  func isActive(_ machine: UUID) async throws -> Bool {
    try await onLibvirt("look up the machine") { connection in
      try ownership.domain(machine, on: connection)?.isActive() ?? false
    }
  }

  static func missingDisk(_ files: ServerFiles) -> DriverError {
    DriverError(.notFound, "there is no file \(files.disk)", customerReason: "The server's disk is missing.")
  }

  static func rescued(_ machine: UUID) -> DriverError {
    DriverError(
      .rejected, "a rescue system has the disk of \(machine.text) in its hands",
      customerReason: "The server is in the rescue system.")
  }

  static func running(_ machine: UUID) -> DriverError {
    DriverError(.rejected, "the machine \(machine.text) runs", customerReason: "The server is running.")
  }

  static func damagedCopy(_ copies: CopyFiles, _ copy: UUID) -> DriverError {
    DriverError(
      .rejected, "\(copies.path(of: copy)) is not what was written", customerReason: "The copy of the disk is damaged.")
  }
}

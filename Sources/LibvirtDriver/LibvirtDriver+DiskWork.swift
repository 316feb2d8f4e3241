import Core
import Foundation
import HostImages
import HostPrograms
import Logging
import PrivateFiles

/// The disk work that goes on between the calls. Each attempt writes to a new file, which gets its final name last.
extension LibvirtDriver {
  /// Kept free on the host's disk: running servers go on writing to it, and pause where it is full.
  private static let reserveBytes: Int64 = 1 << 30

  func copyDisk(of machine: UUID, as copy: UUID) async throws {
    let (disk, copies) = (files(of: machine).disk, copyFiles(of: machine))
    // The copy may have been completed since the caller looked.
    if try await onCopies("look at the copy", { try copies.copiedDisk(copy) }) != nil { return }
    // A process that died may have left a backup running.
    try await endBackup(of: machine, as: nil)
    let (partial, owner, bytes) = try await onCopies("prepare the copy") {
      try copies.remove(copy)
      let owner = try FileOwner(of: disk)
      try copies.makeFolder(for: owner)
      let bytes = try Disk(path: disk).contentBytes()
      try Self.requireRoom(for: bytes, at: copies.folder)
      return (try copies.newPartial(of: copy, for: owner), owner, bytes)
    }
    try await cleaningUp {
      if try await isActive(machine) {
        // QEMU would copy the rescue disk, from which it started.
        guard !MachineFiles.exists(files(of: machine).rescueDisk) else { throw Self.rescued(machine) }
        try await onCopies("prepare the backup") { try Disk(path: disk).makeEmptyCopy(partial) }
        try await backUp(machine, to: partial, bytes: bytes)
      } else {
        try await onDisk(
          "qemu-img", ["convert", "-q", "-f", "qcow2", "-O", "qcow2", disk, partial], as: owner, bytes: bytes,
          customerReason: "The server's disk cannot be read.")
      }
      try await completeCopy(partial, of: disk, as: copy, in: copies)
    } after: {
      try await endBackup(of: machine, as: copy)
      try await onCopies("remove half of a copy") { try copies.remove(copy) }
    }
  }

  private func completeCopy(_ partial: String, of disk: String, as copy: UUID, in copies: CopyFiles) async throws {
    let size = try await onCopies("look at the copy") { try MachineFiles.size(of: partial) ?? 0 }
    try await syncPrivately(partial, bytes: size)
    // QEMU may still have the file open, and a guest may have taken QEMU over: what counts is what a restore sees.
    try await onCopies("look at the copy") {
      let header = try QCOW2Header(path: partial)
      guard header.isStandalone, header.virtualSizeBytes == (try QCOW2Header(path: disk).virtualSizeBytes) else {
        throw DriverError(.unreachable, "\(partial) is no whole copy: \(header)")
      }
    }
    let checksum = try await checksum(of: partial, bytes: size)
    try Task.checkCancellation()
    try await onCopies("complete the copy") {
      let record = try DiskRecord.read("\((disk as NSString).deletingLastPathComponent)/disk.json")
      try copies.complete(partial, as: copy, CopiedDisk(sizeBytes: size, checksum: checksum), runAs: record)
    }
  }

  func restoreDisk(of machine: UUID, from copy: UUID, checksum expected: String) async throws {
    let (files, copies) = (files(of: machine), copyFiles(of: machine))
    let partial = files.newPartialDisk
    let size = try await onCopies("prepare the restore") {
      try MachineFiles.makeDirectory(ServerFiles.root(configuration.dataDirectory))
      try MachineFiles.makeDirectory(files.folder)
      try files.removePartialDisks()
      let size = try MachineFiles.size(of: copies.path(of: copy)) ?? 0
      try Self.requireRoom(for: size, at: files.folder)
      return size
    }
    try await cleaningUp {
      try await onDisk("cp", ["--reflink=auto", "--sparse=always", copies.path(of: copy), partial], bytes: size)
      try await syncPrivately(partial, bytes: size)
      // The checksum of the new disk itself is what counts, however it was read.
      guard try await checksum(of: partial, bytes: size) == expected else { throw Self.damagedCopy(copies, copy) }
      // Nobody else can write this file. A copy may have been forged before its checksum was made.
      let isStandalone = try await onFiles("look at the disk") { try QCOW2Header(path: partial).isStandalone }
      guard isStandalone else { throw Self.damagedCopy(copies, copy) }
      try Task.checkCancellation()
      try await onLibvirt("put the disk in its place") { connection in
        let domain = try ownership.domain(machine, on: connection)
        guard try domain?.isActive() != true else { throw Self.running(machine) }
        if let owner = try domain?.mark()?.owner {
          // Programs read and write the disk as its owner, who is not to be root.
          try letThrough(files, owner)
          try owner.take(partial)
        }
        try (try copies.diskRecord(of: copy) ?? .ofOurs(machine)).write(to: files.diskRecord)
        guard rename(partial, files.disk) == 0 else { throw HostError.last("rename \(partial)") }
        try MachineFiles.syncDirectory(of: files.disk)
        try MachineFiles.syncDirectory(of: files.folder)
      }
    } after: {
      try await onFiles("remove half of a disk") { try files.removePartialDisks() }
    }
  }

  // MARK: - Parts

  private static func requireRoom(for bytes: Int64, at folder: String) throws {
    let free = try MachineFiles.freeBytes(at: folder)
    guard free - reserveBytes >= bytes else {
      throw noRoom("\(bytes) bytes are needed beside a reserve of \(reserveBytes), \(free) are free at \(folder)")
    }
  }

  private static func noRoom(_ detail: String) -> DriverError {
    DriverError(.exhausted, detail, customerReason: "There is no room on this host for another copy of the disk.")
  }

  /// Runs the body. If it fails, the cleanup runs, even where the work was cancelled.
  private func cleaningUp(
    _ body: () async throws -> Void, after cleanUp: @escaping @Sendable () async throws -> Void
  ) async throws {
    do {
      try await DriverError.translating(body)
    } catch let error as DriverError {
      do {
        // A new task is not cancelled with this one.
        try await Task { try await cleanUp() }.value
      } catch {
        logger.error("half of a file is left until the next attempt", metadata: ["error": "\(error)"])
      }
      throw error.kind == .exhausted ? Self.noRoom(error.detail) : error
    }
  }

  /// Runs a program that reads or writes so many bytes; cancelling the work stops the program.
  @discardableResult
  private func onDisk(
    _ program: String, _ arguments: [String], as user: FileOwner = .root, bytes: Int64, customerReason: String? = nil
  ) async throws -> String {
    let stop = StopSignal()
    let limit = Self.limit(for: bytes)
    do {
      return try await withTaskCancellationHandler {
        try await diskThreads.run(program, within: limit + .seconds(60)) {
          try HostProgram(program, arguments, user: user).run(within: limit, stop: stop)
        }
      } onCancel: {
        stop.set()
      }
    } catch let error as DriverError where error.kind == .rejected {
      throw DriverError(.rejected, error.detail, customerReason: customerReason)
    }
  }

  /// Long enough for a slow disk with other users: five minutes, and a second for each 4 MiB.
  static func limit(for bytes: Int64) -> Duration { .seconds(300 + bytes / (4 << 20)) }

  func syncPrivately(_ path: String, bytes: Int64) async throws {
    try await diskThreads.run("sync \(path)", within: Self.limit(for: bytes)) {
      try FileOwner.root.take(path)
      guard chmod(path, 0o600) == 0 else { throw HostError.last("chmod \(path)") }
      try PrivateFile.sync(path)
    }
  }

  func checksum(of path: String, bytes: Int64) async throws -> String {
    let output = try await onDisk("sha256sum", ["--binary", path], bytes: bytes)
    // sha256sum starts the line with a backslash where the file's name contains one.
    let checksum = output.drop { $0 == "\\" }.prefix { $0.isHexDigit }
    guard checksum.count == 64 else { throw DriverError(.unreachable, "sha256sum answered \(output)") }
    return String(checksum)
  }
}

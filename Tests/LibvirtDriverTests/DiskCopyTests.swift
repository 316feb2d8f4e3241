import Core
import Foundation
import HostImages
import PrivateFiles
import TestSupport
import Testing

@testable import LibvirtDriver

/// Real machines: they need the image `debian-12` in VPSD_IMAGE_DIR.
@Suite("Copies of disks through libvirt", .serialized, .timeLimit(.minutes(30)))
struct DiskCopyTests {
  @Test("A disk is copied, also while its guest writes, and comes back as it was; deaths in the middle leave nothing")
  func copies() async throws {
    try await PrivateHost.with { host in
      let specification = try await host.specification()
      let machine = specification.machine
      try await host.driver.ensureDefined(specification)
      try await host.driver.start(machine)
      try await host.awaitReady(specification)
      let copy = try await copiesWhatTheGuestWrote(host, specification)
      try await healsAfterADeath(host, specification)
      try await leavesNothingOfACopyThatNobodyWants(host, machine)
      try await beginsAnewWhenTheMachineStops(host, machine)
      try await refusesWhatWasNotWritten(host, machine)
      try await bringsTheOldContentBack(host, specification, from: copy)
      try await makesANewDisk(host, specification)
      try await endsACopyWithTheMachine(host, machine)
    }
  }

  private func copiesWhatTheGuestWrote(_ host: PrivateHost, _ specification: MachineSpecification) async throws -> UUID
  {
    let (machine, copy) = (specification.machine, UUID())
    // Not synced: the freeze sees to that.
    _ = try await host.ssh(specification, "echo old >/root/file")
    let begin = ContinuousClock.now
    let copied = try await host.copied(machine, as: copy)
    print("copy of a running machine: \(copied.sizeBytes >> 20) MiB in \(ContinuousClock.now - begin)")
    #expect(!MachineFiles.exists(host.driver.files(of: machine).frozenMark))
    _ = try await host.ssh(specification, "echo new >/root/file && sync")

    try await host.expectWhole(copy, of: machine)
    let path = host.driver.copyFiles(of: machine).path(of: copy)
    #expect(try await Program("sha256sum", [path]).output().hasPrefix(copied.checksum))
    #expect(try MachineFiles.size(of: path) == copied.sizeBytes)
    // Another process finds it.
    let other = try PrivateHost.makeDriver(host.dataDirectory)
    expectEqual(try await other.ensureCopied(machine, as: copy), .done(copied))
    other.close()
    return copy
  }

  /// A process died in the middle of a copy: its backup goes on, the guest is frozen, and half of a file is there.
  private func healsAfterADeath(_ host: PrivateHost, _ specification: MachineSpecification) async throws {
    let (machine, copy) = (specification.machine, UUID())
    let copies = host.driver.copyFiles(of: machine)
    let owner = try FileOwner(of: host.driver.files(of: machine).disk)
    let partial = try copies.newPartial(of: copy, for: owner)
    try Disk(path: host.driver.files(of: machine).disk).makeEmptyCopy(partial)
    let mark = host.driver.files(of: machine).frozenMark
    try PrivateFile.write([], to: mark)
    try await host.driver.onGuest(machine, "freeze") { try GuestAgent(domain: $0).freezeFileSystems() }
    try await host.driver.onDomain(machine, "begin a backup") { domain in
      try domain.beginBackup(to: partial)
      try #require(try domain.slowBackupDown())
    }

    try await host.copied(machine, as: copy)
    #expect(!MachineFiles.exists(partial))
    #expect(!MachineFiles.exists(mark))
    try await host.expectWhole(copy, of: machine)
    // Nothing is frozen.
    _ = try await host.ssh(specification, "echo new >/root/file && sync")

    // Nobody asks for the copy again: an observation heals the guest.
    try PrivateFile.write([], to: mark)
    try await host.driver.onGuest(machine, "freeze") { try GuestAgent(domain: $0).freezeFileSystems() }
    try await eventually("the guest is thawed", within: .seconds(120)) {
      _ = try await host.driver.observe()
      return !MachineFiles.exists(mark)
    }
    _ = try await host.ssh(specification, "echo new >/root/file && sync")
    try await host.driver.ensureCopyAbsent(copy, of: machine)
    #expect(!MachineFiles.exists(copies.path(of: copy)))
  }

  private func leavesNothingOfACopyThatNobodyWants(_ host: PrivateHost, _ machine: UUID) async throws {
    let copy = UUID()
    try await host.beginSlowCopy(of: machine, as: copy)
    try await host.driver.ensureCopyAbsent(copy, of: machine)
    try await host.driver.ensureCopyAbsent(copy, of: machine)
    #expect(try await host.driver.onDomain(machine, "look") { try $0.backupDescription() } == nil)
    #expect(try host.fileNames(ofCopy: copy, of: machine) == [])
    expectEqual(try await host.driver.power(of: machine), .running)
  }

  private func beginsAnewWhenTheMachineStops(_ host: PrivateHost, _ machine: UUID) async throws {
    let copy = UUID()
    try await host.beginSlowCopy(of: machine, as: copy)
    kill(try #require(PrivateHost.emulator(of: machine)), SIGKILL)
    try await eventually("the copy fails", within: .seconds(120)) {
      do {
        return try await host.driver.ensureCopied(machine, as: copy) != .underWay
      } catch let error as DriverError {
        #expect(error.isWorthRetrying, "\(error)")
        return true
      }
    }
    #expect(try host.fileNames(ofCopy: copy, of: machine) == [])
    // QEMU's end may be seen by the copy before libvirtd has noted it.
    try await host.awaitPower(.off(.other), of: machine)
    // Now of a machine that is off.
    let begin = ContinuousClock.now
    let copied = try await host.copied(machine, as: copy)
    print("copy of a machine that is off: \(copied.sizeBytes >> 20) MiB in \(ContinuousClock.now - begin)")
    try await host.expectWhole(copy, of: machine)
  }

  private func refusesWhatWasNotWritten(_ host: PrivateHost, _ machine: UUID) async throws {
    let copy = UUID()
    let copied = try await host.copied(machine, as: copy)
    let path = host.driver.copyFiles(of: machine).path(of: copy)
    let file = try #require(FileHandle(forUpdatingAtPath: path))
    try file.seek(toOffset: UInt64(copied.sizeBytes / 2))
    let byte = try #require(try file.read(upToCount: 1)?.first)
    try file.seek(toOffset: UInt64(copied.sizeBytes / 2))
    try file.write(contentsOf: [byte ^ 1])
    try file.close()

    let disk = host.driver.files(of: machine).disk
    let before = try await Program("sha256sum", [disk]).output()
    await #expect {
      try await host.restored(machine, from: copy, checksum: copied.checksum)
    } throws: { error in
      (error as? DriverError)?.kind == .rejected
        && (error as? DriverError)?.customerReason == "The copy of the disk is damaged."
    }
    expectEqual(try await Program("sha256sum", [disk]).output(), before)
    #expect(try MachineFiles.names(in: host.driver.files(of: machine).folder).allSatisfy { !$0.hasSuffix(".partial") })
    try await host.driver.ensureCopyAbsent(copy, of: machine)
  }

  private func bringsTheOldContentBack(
    _ host: PrivateHost, _ specification: MachineSpecification, from copy: UUID
  ) async throws {
    let machine = specification.machine
    guard case .done(let copied) = try await host.driver.ensureCopied(machine, as: copy) else { throw Missed.copy }
    try await host.restored(machine, from: copy, checksum: copied.checksum)
    let larger = try await host.specification(
      machine, hostname: "later.example.com", storageGiB: 6, mayCreateDisk: false)
    try await host.driver.ensureDefined(larger)
    #expect(try QCOW2Header(path: host.driver.files(of: machine).disk).virtualSizeBytes == 6 << 30)
    try await host.driver.start(machine)
    try await host.awaitReady(larger)
    expectEqual(try await host.ssh(larger, "cat /root/file; hostname"), "old\nlater")
    await #expect {
      _ = try await host.driver.ensureRestored(machine, from: copy, checksum: copied.checksum)
    } throws: {
      ($0 as? DriverError)?.kind == .rejected
    }
  }

  private func makesANewDisk(_ host: PrivateHost, _ specification: MachineSpecification) async throws {
    let machine = specification.machine
    let begin = try await host.specification(machine, hostname: "anew.example.com")
    await #expect {
      try await host.driver.ensureDiskAbsent(machine)
    } throws: {
      ($0 as? DriverError)?.kind == .rejected
    }
    try await host.driver.powerOff(machine)
    try await host.driver.ensureDiskAbsent(machine)
    try await host.driver.ensureDefined(begin)
    try await host.driver.start(machine)
    try await host.awaitReady(begin)
    // Personalised once more: its key, its name, its machine id.
    let machineID = machine.text.replacing("-", with: "")
    expectEqual(try await host.ssh(begin, "ls /root; hostname; cat /etc/machine-id"), "anew\n\(machineID)")
  }

  private func endsACopyWithTheMachine(_ host: PrivateHost, _ machine: UUID) async throws {
    try await host.beginSlowCopy(of: machine, as: UUID())
    try await host.driver.ensureAbsent(machine)
    #expect(!MachineFiles.exists(host.driver.copyFiles(of: machine).folder))
    #expect(PrivateHost.emulator(of: machine) == nil)
    #expect(try await host.driver.observe().powers.isEmpty)
    #expect(!host.driver.work.isRunning(on: machine))
  }

  @Test("A start ends a restore, and the machine runs on the disk that it had")
  func startEndsRestore() async throws {
    try await PrivateHost.with { host in
      let specification = try await host.specification()
      let (machine, copy) = (specification.machine, UUID())
      try await host.driver.ensureDefined(specification)
      let copied = try await host.copied(machine, as: copy)
      let files = host.driver.files(of: machine)
      let held = try await host.heldRestore(of: machine, from: copy, checksum: copied.checksum)
      try await host.driver.start(machine)
      #expect(!host.driver.work.isRunning(on: machine))
      try held.close()
      #expect(try QCOW2Header(path: files.disk).backingFile != nil)
      #expect(try MachineFiles.names(in: files.folder).allSatisfy { !$0.hasSuffix(".partial") })
      expectEqual(try await host.driver.power(of: machine), .running)
    }
  }

  @Test("A restore that is ended replaces no disk, and leaves no half of one")
  func endedRestore() async throws {
    try await PrivateHost.with { host in
      let specification = try await host.specification()
      let (machine, copy) = (specification.machine, UUID())
      try await host.driver.ensureDefined(specification)
      let copied = try await host.copied(machine, as: copy)
      let files = host.driver.files(of: machine)
      let held = try await host.heldRestore(of: machine, from: copy, checksum: copied.checksum)
      #expect(try await !host.driver.endRestore(of: machine, from: copy))
      #expect(!host.driver.work.isRunning(on: machine))
      try held.close()
      #expect(try QCOW2Header(path: files.disk).backingFile != nil)
      #expect(try MachineFiles.names(in: files.folder).allSatisfy { !$0.hasSuffix(".partial") })
    }
  }

  @Test("A copy whose content is another file of the host is refused; a disk that came back is its server's own")
  func forgedCopy() async throws {
    try await PrivateHost.with { host in
      let specification = try await host.specification()
      let (machine, copy, forged) = (specification.machine, UUID(), UUID())
      try await host.driver.ensureDefined(specification)
      let copied = try await host.copied(machine, as: copy)
      let (files, copies) = (host.driver.files(of: machine), host.driver.copyFiles(of: machine))
      // As a QEMU that a guest has taken over may have written it.
      let partial = try copies.newPartial(of: forged, for: .root)
      let options = "data_file=\(host.dataDirectory)/content,data_file_raw=on"
      _ = try await Program("qemu-img", ["create", "-f", "qcow2", "-o", options, partial, "1M"]).output()
      let checksum = String(try await Program("sha256sum", [partial]).output().prefix(64))
      let sizeBytes = try MachineFiles.size(of: partial) ?? 0
      try copies.complete(
        partial, as: forged, CopiedDisk(sizeBytes: sizeBytes, checksum: checksum),
        runAs: try DiskRecord.read(files.diskRecord))
      await #expect {
        try await host.restored(machine, from: forged, checksum: checksum)
      } throws: { error in
        (error as? DriverError)?.kind == .rejected
          && (error as? DriverError)?.customerReason == "The copy of the disk is damaged."
      }
      #expect(try QCOW2Header(path: files.disk).backingFile != nil)
      #expect(try MachineFiles.names(in: files.folder).allSatisfy { !$0.hasSuffix(".partial") })

      try await host.restored(machine, from: copy, checksum: copied.checksum)
      #expect((try FileOwner(of: files.disk) == .root) == (host.driver.emulatorUser == .root))
      // Its user can reach it.
      try await host.driver.ensureDefined(try await host.specification(machine, storageGiB: 6, mayCreateDisk: false))
      #expect(try QCOW2Header(path: files.disk).virtualSizeBytes == 6 << 30)
    }
  }

  @Test("Where there is no room, no copy is begun, and nothing is left of it")
  func noRoom() async throws {
    try await PrivateHost.with { host in
      let small = "\(host.dataDirectory)/small"
      try MachineFiles.makeDirectory(small)
      _ = try await Program("mount", ["-t", "tmpfs", "-o", "size=64m", "tmpfs", small]).output()
      let driver = try PrivateHost.makeDriver(host.dataDirectory, copyDirectory: small)
      do {
        let specification = try await host.specification()
        let (machine, copy) = (specification.machine, UUID())
        try await driver.ensureDefined(specification)
        await #expect {
          try await eventually("it fails", within: .seconds(120)) {
            try await driver.ensureCopied(machine, as: copy) != .underWay
          }
        } throws: { error in
          (error as? DriverError)?.kind == .exhausted
            && (error as? DriverError)?.customerReason == "There is no room on this host for another copy of the disk."
        }
        #expect(try MachineFiles.names(in: driver.copyFiles(of: machine).folder).isEmpty)
        try await driver.ensureAbsent(machine)
      } catch {
        Issue.record(error)
      }
      driver.close()
      _ = try await Program("umount", [small]).output()
    }
  }

  @Test("A machine of which only copies are left is a remnant of its own installation, which a delete removes")
  func onlyCopies() async throws {
    try await PrivateHost.with { host in
      let specification = try await host.specification()
      let (machine, copy) = (specification.machine, UUID())
      try await host.driver.ensureDefined(specification)
      try await host.copied(machine, as: copy)
      let elsewhere = "\(host.dataDirectory)/elsewhere"
      try FileManager.default.moveItem(atPath: host.driver.copyFiles(of: machine).folder, toPath: elsewhere)
      try await host.driver.ensureAbsent(machine)
      #expect(try await host.driver.observe().powers.isEmpty)
      try FileManager.default.moveItem(atPath: elsewhere, toPath: host.driver.copyFiles(of: machine).folder)

      expectEqual(try await host.driver.observe(), MachineObservation(powers: [machine: .remnant]))
      expectEqual(try await host.driver.power(of: machine), .remnant)
      let stranger = try PrivateHost.makeDriver(host.dataDirectory, installation: UUID())
      #expect(try await stranger.observe().powers.isEmpty)
      try await stranger.ensureAbsent(machine)
      stranger.close()
      #expect(MachineFiles.exists(host.driver.copyFiles(of: machine).path(of: copy)))

      // The whole server comes back from a copy.
      guard case .done(let copied) = try await host.driver.ensureCopied(machine, as: copy) else { throw Missed.copy }
      try await host.restored(machine, from: copy, checksum: copied.checksum)
      try await host.driver.ensureDefined(try await host.specification(machine, mayCreateDisk: false))
      expectEqual(try await host.driver.power(of: machine), .off(.other))
      try await host.driver.ensureAbsent(machine)
      #expect(try await host.driver.observe().powers.isEmpty)
    }
  }
}

extension Missed {
  fileprivate static let copy = Missed(description: "there is no whole copy")
}

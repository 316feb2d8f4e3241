import CLibvirt
import Core
import Foundation
import PrivateFiles
import TestSupport
import Testing

@testable import LibvirtDriver

extension PrivateHost {
  @discardableResult
  func copied(_ machine: UUID, as copy: UUID) async throws -> CopiedDisk {
    var copied: CopiedDisk?
    try await eventually("the disk is copied", within: .seconds(240)) {
      if case .done(let disk) = try await driver.ensureCopied(machine, as: copy) { copied = disk }
      return copied != nil
    }
    return try #require(copied)
  }

  func restored(_ machine: UUID, from copy: UUID, checksum: String) async throws {
    try await eventually("the disk is restored", within: .seconds(240)) {
      try await driver.ensureRestored(machine, from: copy, checksum: checksum) == .done
    }
  }

  /// Leaves a restore in the middle of its copy, from which no more comes as long as the end that is returned is open.
  func heldRestore(of machine: UUID, from copy: UUID, checksum: String) async throws -> FileHandle {
    let path = driver.copyFiles(of: machine).path(of: copy)
    try MachineFiles.remove(path)
    try #require(mkfifo(path, 0o600) == 0)
    expectEqual(try await driver.ensureRestored(machine, from: copy, checksum: checksum), .underWay)
    var end: Int32 = -1
    // Nobody can write before somebody reads.
    try await eventually("it is read", within: .seconds(120), every: .milliseconds(5)) {
      end = open(path, O_WRONLY | O_NONBLOCK | O_CLOEXEC)
      return end >= 0
    }
    let handle = FileHandle(fileDescriptor: end, closeOnDealloc: true)
    try handle.write(contentsOf: Data("half of it".utf8))
    let folder = driver.files(of: machine).folder
    try await eventually("half of a disk is there", within: .seconds(120), every: .milliseconds(5)) {
      try MachineFiles.names(in: folder).contains { $0.hasSuffix(".partial") }
    }
    return handle
  }

  /// Leaves a copy of a running machine that takes for ever.
  func beginSlowCopy(of machine: UUID, as copy: UUID) async throws {
    expectEqual(try await driver.ensureCopied(machine, as: copy), .underWay)
    try await eventually("QEMU copies", within: .seconds(60), every: .milliseconds(5)) {
      try await driver.onDomain(machine, "slow the backup down") { domain in
        guard try domain.backupDescription() != nil else { return false }
        return try domain.slowBackupDown()
      }
    }
    expectEqual(try await driver.ensureCopied(machine, as: copy), .underWay)
  }

  /// On its own, sound, with the whole disk, and for nobody else to read.
  func expectWhole(_ copy: UUID, of machine: UUID) async throws {
    let path = driver.copyFiles(of: machine).path(of: copy)
    let information = try await Program("qemu-img", ["info", "--output=json", path]).output()
    #expect(information.contains("\"format\": \"qcow2\"") && !information.contains("backing-filename"))
    _ = try await Program("qemu-img", ["check", "-q", path]).output()
    #expect(try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int == 0o600)
    #expect(try FileOwner(of: path) == .root)
    let folder = driver.copyFiles(of: machine).folder
    let mode = driver.emulatorUser == .root ? 0o700 : 0o710
    #expect(try FileManager.default.attributesOfItem(atPath: folder)[.posixPermissions] as? Int == mode)
    #expect(try fileNames(ofCopy: copy, of: machine).sorted() == ["\(copy.text).json", "\(copy.text).qcow2"])
  }

  func fileNames(ofCopy copy: UUID, of machine: UUID) throws -> [String] {
    try MachineFiles.names(in: driver.copyFiles(of: machine).folder).filter { $0.hasPrefix(copy.text) }
  }
}

extension Domain {
  /// To a byte a second. False where libvirtd has told of the backup, and QEMU has yet to be told to begin it.
  func slowBackupDown() throws -> Bool {
    struct Jobs: Decodable {
      struct Job: Decodable { let device: String }
      let `return`: [Job]
    }
    let jobs = try JSONDecoder().decode(Jobs.self, from: Data(monitor(#"{"execute":"query-block-jobs"}"#).utf8)).return
    guard let job = jobs.first?.device else { return false }
    _ = try monitor(#"{"execute":"block-job-set-speed","arguments":{"device":"\#(job)","speed":1}}"#)
    return true
  }

  private func monitor(_ command: String) throws -> String {
    var answer: UnsafeMutablePointer<CChar>?
    guard virDomainQemuMonitorCommand(pointer, command, &answer, 0) == 0, let answer else {
      throw LibvirtError.last("ask the monitor")
    }
    defer { free(answer) }
    return String(cString: answer)
  }
}

import Core
import Foundation
import PrivateFiles
import TestSupport
import Testing

@testable import LibvirtDriver

/// Where anything about a template is uncertain, a machine gets a disk of its own and boots. Its host rests, so that nothing but
/// these tests changes the template.
struct TemplateDoubts {
  let host: PrivateHost
  let template: Template
  /// Another driver of the same host, which verifies nothing by itself.
  private let driver: LibvirtDriver

  init(host: PrivateHost, template: Template) throws {
    (self.host, self.template) = (host, template)
    driver = try PrivateHost.makeDriver(host.dataDirectory, instantTemplates: .auto)
  }

  func all() async throws {
    defer { driver.close() }
    try await unverified()
    try await ofAnotherShape()
    try await notCopied()
    try await changedBeforeTheStart()
    try await triedBefore()
    try await foreign()
    try await killed()
    try await damaged()
  }

  private func verify() throws {
    driver.verified.note(template, try #require(VerifiedTemplates.prints(of: template)))
  }

  private func isAdopted(_ specification: MachineSpecification) async throws -> Bool {
    try await driver.ensureDefined(specification)
    return MachineFiles.exists(driver.files(of: specification.machine).clone)
  }

  private func adopted() async throws -> UUID {
    let specification = try await host.specification()
    #expect(try await isAdopted(specification))
    return specification.machine
  }

  private func isRefused(_ specification: MachineSpecification, _ why: Comment) async throws {
    #expect(try await !isAdopted(specification), why)
    try await driver.ensureAbsent(specification.machine)
  }

  private func unverified() async throws {
    driver.verified.forget(template.id)
    try await isRefused(try await host.specification(), "nobody has verified it")
    try verify()
  }

  private func ofAnotherShape() async throws {
    try await isRefused(try await host.specification(storageGiB: 5), "its disk has another size")
  }

  /// What is written before the copy cannot be written.
  private func notCopied() async throws {
    let inTheWay = template.folder + "/used/entry"
    try? MachineFiles.remove(template.folder + "/used")
    try FileManager.default.createDirectory(atPath: inTheWay, withIntermediateDirectories: true)
    try await isRefused(try await host.specification(), "its disk was not copied")
    try MachineFiles.remove(template.folder + "/used")
  }

  private func changedBeforeTheStart() async throws {
    let machine = try await adopted()
    let specification = try await host.specification(machine, storageGiB: 5, mayCreateDisk: false)
    #expect(try await !isAdopted(specification))
    #expect(try Disk(path: driver.files(of: machine).disk).sizeBytes == 5 << 30)
    try await driver.ensureAbsent(machine)
  }

  /// The process that began it has died, just before it was done.
  private func triedBefore() async throws {
    let machine = try await adopted()
    let path = driver.files(of: machine).clone
    var record = try #require(try CloneRecord.read(path))
    record.isTried = true
    try record.write(to: path)
    try PrivateFile.write([], to: driver.files(of: machine).instantMark)
    try await bootsInstead(machine)
    #expect(try driver.templates.templates().keys.contains(template.id))
  }

  /// Somebody else has put another file in its place since, of the same size.
  private func foreign() async throws {
    let machine = try await adopted()
    let (own, aside) = (template.state, template.state + ".own")
    #expect(rename(own, aside) == 0)
    try FileManager.default.copyItem(atPath: aside, toPath: own)
    try await bootsInstead(machine)
    try await isRefused(try await host.specification(), "it is another file")
    #expect(rename(aside, own) == 0)
    try verify()
  }

  /// QEMU dies while the machine starts. The template may be the cause, so that it goes: a copy is put back for the next doubt.
  private func killed() async throws {
    let machine = try await adopted()
    let copy = host.dataDirectory + "/template"
    try FileManager.default.copyItem(atPath: template.folder, toPath: copy)
    let killing = Task {
      try await eventually("its QEMU runs", within: .seconds(60), every: .milliseconds(10)) {
        PrivateHost.emulator(of: machine).map { kill($0, SIGKILL) == 0 } ?? false
      }
    }
    try await bootsInstead(machine)
    try await killing.value
    #expect(try driver.templates.templates().isEmpty)
    #expect(rename(copy, template.folder) == 0)
    try verify()
  }

  /// Some of its bytes are others, and nobody has noticed.
  private func damaged() async throws {
    let file = try FileHandle(forUpdating: URL(fileURLWithPath: template.state))
    try file.seek(toOffset: 100_000)
    try file.write(contentsOf: Data(repeating: 0x5A, count: 1_000_000))
    try file.close()
    try verify()
    try await bootsInstead(try await adopted())
    #expect(try driver.templates.templates().isEmpty)
  }

  private func bootsInstead(_ machine: UUID) async throws {
    let files = driver.files(of: machine)
    let before = try MachineFiles.allocatedBytes(of: files.disk)
    try await driver.start(machine)
    #expect(try InstantMachine.isBooted(machine))
    #expect(!MachineFiles.exists(files.clone))
    #expect(try MachineFiles.allocatedBytes(of: files.disk) < before)
    expectEqual(try await driver.power(of: machine), .running)
    #expect(!MachineFiles.exists(files.instantMark))
    try await driver.ensureAbsent(machine)
  }
}

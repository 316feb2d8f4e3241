import Core
import Foundation
import HostPrograms
import TestSupport
import Testing

@testable import LibvirtDriver

/// The disk of a host becomes full while a template is made, while a machine starts from one, and while that boots instead.
struct TemplatesOnFullDisk {
  let host: PrivateHost
  let disk: SmallDisk

  private var driver: LibvirtDriver { host.driver }

  func all() async throws {
    let shape = MachineShape(of: try await host.specification())
    try await noRoomForTemplate(shape)
    let template = try await driver.makeTemplate(of: shape)
    try await noRoomForCopy()
    try await noRoomForRecord(template)
    try await noRoomForNewDisk(template)
    try await noRoomForGuest()
    // The host's libvirtd has its files elsewhere.
    if PrivateHost.daemon == .own { try await noRoomForEmulator(template) }
  }

  // MARK: - While a template is made

  /// None at all, too little for what its guest writes, and too little for its memory.
  private func noRoomForTemplate(_ shape: MachineShape) async throws {
    // libvirt keeps what QEMU can do.
    _ = try #require(try await driver.templateBasis())
    for mebibytes in [0, 1, 60] as [Int64] {
      try disk.leave(bytes: mebibytes << 20)
      let error = try await #require(throws: DriverError.self) { _ = try await driver.makeTemplate(of: shape) }
      #expect(error.kind == .exhausted, "\(mebibytes) MiB: \(error)")
      try await nothingIsLeft()
      try disk.makeRoom()
    }
  }

  private func nothingIsLeft() async throws {
    let templates = driver.templates
    #expect(try !MachineFiles.exists(templates.directory) || MachineFiles.names(in: templates.directory).isEmpty)
    #expect(try ServerFiles.machines(dataDirectory: host.dataDirectory).isEmpty)
    #expect(try await driver.observe().powers.isEmpty)
    #expect(try !HostProcess.all().contains { $0.isEmulator && $0.mentions(host.dataDirectory + "/servers") })
  }

  // MARK: - While a machine starts

  private func adopted() async throws -> MachineSpecification {
    let specification = try await host.specification()
    try await driver.ensureDefined(specification)
    #expect(MachineFiles.exists(driver.files(of: specification.machine).clone))
    return specification
  }

  /// It gets a disk that takes less room. Its guest is paused when it writes, and goes on when there is room.
  private func noRoomForCopy() async throws {
    let specification = try await host.specification()
    let files = driver.files(of: specification.machine)
    try disk.leave(bytes: 0)
    let error = try await #require(throws: DriverError.self) { try await driver.ensureDefined(specification) }
    #expect(error.kind == .exhausted, "\(error)")
    #expect(!MachineFiles.exists(files.clone) && !MachineFiles.exists(files.disk + ".new"))
    try disk.leave(bytes: 2 << 20)
    try await driver.ensureDefined(specification)
    #expect(!MachineFiles.exists(files.clone) && !MachineFiles.exists(files.disk + ".new"))
    try await driver.start(specification.machine)
    try await goesOnWithRoom(specification)
  }

  /// Nobody has tried to start it from memory, so that nothing is wrong with the template.
  private func noRoomForRecord(_ template: Template) async throws {
    let specification = try await adopted()
    try disk.leave(bytes: 0)
    try await bootsInstead(specification)
    #expect(try driver.templates.templates().keys.contains(template.id))
    try disk.makeRoom()
    try await driver.ensureAbsent(specification.machine)
  }

  /// The disk that it has not started with is gone, and there is room for no other: somebody else keeps its blocks.
  private func noRoomForNewDisk(_ template: Template) async throws {
    let specification = try await adopted()
    let files = driver.files(of: specification.machine)
    let copy = try FileHandle(forReadingFrom: URL(fileURLWithPath: files.disk))
    try disk.leave(bytes: 0)
    for _ in 1...2 {
      let error = try await #require(throws: DriverError.self) { try await driver.start(specification.machine) }
      #expect(error.kind == .exhausted, "\(error)")
      #expect(!MachineFiles.exists(files.disk) && !MachineFiles.exists(files.disk + ".new"))
      #expect(PrivateHost.emulator(of: specification.machine) == nil)
    }
    // Its customer tries again where there is room for small files only, and for no disk.
    let later = try await host.specification(specification.machine, mayCreateDisk: false)
    try disk.leave(bytes: 32 << 10)
    let error = try await #require(throws: DriverError.self) { try await driver.ensureDefined(later) }
    #expect(error.kind == .exhausted, "\(error)")
    #expect(MachineFiles.exists(files.clone))
    try copy.close()
    try disk.makeRoom()
    try await driver.ensureDefined(later)
    try await bootsInstead(later)
    #expect(try driver.templates.templates().keys.contains(template.id))
    try await driver.ensureAbsent(specification.machine)
  }

  /// There is room for the record, and not for the start of its QEMU. The template goes, because it may be the cause and takes
  /// room. Here somebody else keeps its blocks, too.
  private func noRoomForEmulator(_ template: Template) async throws {
    let specification = try await adopted()
    let files = driver.files(of: specification.machine)
    let kept = try [template.state, template.disk, files.disk].map {
      try FileHandle(forReadingFrom: URL(fileURLWithPath: $0))
    }
    try disk.leave(bytes: 8 << 10)
    let error = try await #require(throws: DriverError.self) { try await driver.start(specification.machine) }
    #expect(error.kind == .exhausted, "\(error)")
    #expect(try CloneRecord.read(files.clone)?.isTried == true)
    #expect(try driver.templates.templates().isEmpty)
    #expect(PrivateHost.emulator(of: specification.machine) == nil)
    for each in kept { try each.close() }
    try disk.makeRoom()
    try await bootsInstead(specification)
    try await driver.ensureAbsent(specification.machine)
  }

  /// There is room for all that the host writes, and not for what its guest writes soon after its start.
  private func noRoomForGuest() async throws {
    let specification = try await adopted()
    try disk.leave(bytes: 300 << 10)
    try await driver.start(specification.machine)
    #expect(try !InstantMachine.isBooted(specification.machine))
    try await goesOnWithRoom(specification)
  }

  private func bootsInstead(_ specification: MachineSpecification) async throws {
    let files = driver.files(of: specification.machine)
    try await driver.start(specification.machine)
    #expect(try InstantMachine.isBooted(specification.machine))
    #expect(!MachineFiles.exists(files.clone) && !MachineFiles.exists(files.instantMark))
  }

  /// QEMU pauses the machine when its guest writes, and it does not go on without room.
  private func goesOnWithRoom(_ specification: MachineSpecification) async throws {
    let machine = specification.machine
    try await host.awaitPower(.paused, of: machine)
    let error = try await #require(throws: DriverError.self) { try await driver.resume(machine) }
    #expect(error.kind == .exhausted, "\(error)")
    try disk.makeRoom()
    try await driver.resume(machine)
    try await host.awaitReady(specification)
    expectEqual(try await host.ssh(specification, "cat /etc/machine-id"), machine.text.filter { $0 != "-" })
    try await driver.ensureAbsent(machine)
  }
}

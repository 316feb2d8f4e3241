import Core
import Foundation
import HostImages
import HostPrograms
import Logging
import PrivateFiles

/// The first start of a machine that was made from a template: it loads the template's memory, and gets its identity before
/// anybody can reach it. Any failure or uncertainty leads to a new disk and a boot.
extension LibvirtDriver {
  /// From the start of QEMU until the guest's sshd greets. Also on a busy host it leaves time for a boot in the same step.
  private var cloneLimit: Duration { accelerator == .kvm ? .seconds(10) : .seconds(40) }

  /// What the host asks the guest would delay the first login.
  private static let pauseAfterGreeting = Duration.seconds(5)

  /// Returns whether the new machine has got a copy of a template's disk. If not, it needs a disk of its own.
  func adoptsTemplate(
    _ files: ServerFiles, for specification: MachineSpecification, image: String, _ cpuModel: CPUModel?
  ) -> Bool {
    guard let template = template(for: specification, on: cpuModel) else { return false }
    do {
      try adopt(template, files, for: specification, image: image)
      return true
    } catch {
      logger.notice(
        "a server boots, because it did not get the disk of a template",
        metadata: ["machine": "\(specification.machine.text)", "error": "\(error)"])
      return false
    }
  }

  /// The record is written first.
  private func adopt(
    _ template: Template, _ files: ServerFiles, for specification: MachineSpecification, image: String
  ) throws {
    let record = CloneRecord(
      template: template.id, shape: MachineShape(of: specification), image: image,
      card: "\(hardwareAddress(of: specification))")
    try record.write(to: files.clone)
    try template.description.basis.cpuModel.write(to: files.cpuModel)
    try PrivateFile.write(Array(template.description.machineType.utf8), to: files.machineType)
    try templates.noteUse(of: template)
    try Disk(path: files.disk).copy(template.disk)
  }

  /// Replaces the copy of a template's disk with a new disk, for a machine that is off.
  func makeDiskAnew(_ record: CloneRecord, _ files: ServerFiles) throws {
    try MachineFiles.remove(files.instantMark)
    try MachineFiles.remove(files.disk)
    try Disk(path: files.disk).create(image: record.image, sizeBytes: Int64(record.shape.storageGiB) << 30)
    try MachineFiles.remove(files.clone)
    try PrivateFile.sync(files.folder)
  }

  /// Whether the disk of the record fits the specification.
  func isWanted(_ record: CloneRecord, by specification: MachineSpecification) -> Bool {
    record.shape == MachineShape(of: specification) && specification.userData == nil && specification.rescue == nil
      && (try? images.diskPath(of: specification.imageName, version: specification.imageVersion)) == record.image
  }

  /// Returns whether the machine runs now. If not, it has a disk to boot from.
  func startsFromMemory(_ machine: UUID, _ files: ServerFiles) async throws -> Bool {
    let record = try await onFiles("look for a template's disk") { try CloneRecord.read(files.clone) }
    guard let record else { return false }
    do {
      try await startFromMemory(machine, files, record)
      try await onFiles("forget the template") {
        try MachineFiles.remove(files.clone)
        try PrivateFile.sync(files.folder)
      }
      return true
    } catch {
      logger.notice(
        "a server boots, because it did not start from memory",
        metadata: ["machine": "\(machine.text)", "template": "\(record.template.text)", "error": "\(error)"])
    }
    try await powerOff(machine)
    try await onFiles("make the disk anew") { try makeDiskAnew(record, files) }
    return false
  }

  private func startFromMemory(_ machine: UUID, _ files: ServerFiles, _ record: CloneRecord) async throws {
    guard !record.isTried else { throw DriverError(.rejected, "what came of the last try is not known") }
    let (template, message) = try await onFiles("look at the template") { () -> (Template, IdentityMessage) in
      guard let template = try templates.templates()[record.template] ?? nil, verified.isVerified(template) else {
        throw DriverError(.notFound, "the template is gone")
      }
      // The memory fits no other disk, such as a new one that a killed process has made after the record.
      guard try MachineFiles.size(of: files.disk) == template.description.disk.bytes else {
        throw DriverError(.notFound, "its disk is not the template's")
      }
      guard let seed = FileManager.default.contents(atPath: files.seed) else { throw HostError.last("read the seed") }
      var tried = record
      tried.isTried = true
      try tried.write(to: files.clone)
      // Before the start, so that no full disk takes back one that has succeeded.
      try PrivateFile.write([], to: files.instantMark)
      return (template, IdentityMessage(card: record.card, seed: Array(seed), hostKey: try HostKey()))
    }
    let limit = cloneLimit
    readings.leaveAlone(machine, for: limit)
    defer { readings.leaveAlone(machine, for: Self.pauseAfterGreeting) }
    try await onLibvirt("start the machine from memory", within: limit * 2) { connection in
      let domain = try ownership.existingDomain(machine, on: connection)
      guard try !domain.isActive() else { throw DriverError(.busy, "it runs already") }
      let mark = try domain.mark()
      if let mark { try handOver(files, to: mark.owner) }
      let placed = try moved(domain) ?? domain
      do {
        let deadline = ContinuousClock.now + limit
        let live = try wake(placed, template, message, until: deadline)
        try awaitGreeting(of: live, until: deadline)
        if let runID = live.runID { readings.noteGreeting(of: machine, runID: runID, isNews: true) }
      } catch {
        // The template may be the cause, or take the room that is missing. A new one is made later.
        try? remove(template.id)
        throw placed.wantOfRoom ?? error
      }
      if let mark { keepWeight(mark.cpuWeight, of: machine, placed) }
    }
  }

  /// Returns the running machine, which has its identity and accepts connections to sshd.
  private func wake(
    _ domain: Domain, _ template: Template, _ message: IdentityMessage, until deadline: ContinuousClock.Instant
  ) throws -> Domain {
    let file = open(template.state, O_RDONLY | O_NOFOLLOW | O_CLOEXEC)
    guard file >= 0 else { throw HostError.last("open \(template.state)") }
    defer { Foundation.close(file) }
    let isEmulated = accelerator == .tcg
    guard let definition = IdentityPort.adding(to: try domain.definition(), isIncoming: true, isEmulated: isEmulated)
    else {
      throw DriverError(.rejected, "a definition without an end")
    }
    let live = try domain.connection.create(definition, isPaused: true)
    try live.loadMemory(from: file, until: deadline)
    try live.resume()
    // QEMU reconnects a port only while the machine runs.
    let channel = try live.openIdentityChannel()
    try channel.send(message.bytes(at: IdentityMessage.now), until: deadline)
    let answer = try channel.line(until: deadline) { try live.requireRoom() }
    guard answer == "done" else { throw DriverError(.unreachable, "the guest says \(answer)") }
    return live
  }

  /// Only a greeting shows that sshd has got on with its key.
  private func awaitGreeting(of live: Domain, until deadline: ContinuousClock.Instant) throws {
    guard let mark = try live.mark() else { throw DriverError(.rejected, "\(live.name) bears no mark") }
    var banner = SSHBanner(listeningAt: mark.address, port: mark.sshPort)
    defer { banner.close() }
    guard banner.isSent(by: mark.address, port: mark.sshPort, within: deadline - .now) else {
      throw DriverError(.unreachable, "the sshd of \(live.name) does not greet")
    }
  }
}

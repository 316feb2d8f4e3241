import Core
import Foundation
import HostImages
import HostNetwork
import HostPrograms
import PrivateFiles

/// A template is made from a machine that boots like any other, with a seed that belongs to nobody. The machine bears the
/// installation's mark and belongs to no server: if the process dies, it is removed like any such machine.
extension LibvirtDriver {
  /// Long enough for software emulation on a busy host.
  private static let preparationLimit = Duration.seconds(180)
  private static let guestProgram = "/usr/lib/vpsd/await-identity"

  func makeTemplate(of shape: MachineShape) async throws -> Template {
    guard let basis = try await templateBasis() else { throw DriverError(.rejected, "libvirt names no processor") }
    let version = try await onFiles("look at the image") { try instantVersion(of: shape) }
    let draft = try await onFiles("begin a template") { try templates.begin() }
    do {
      let machineType = try await bootTemplate(draft, shape, version, basis)
      try await saveTemplate(draft)
      let template = try await completeTemplate(draft, shape, version, basis, machineType)
      try await Task { try await ensureAbsent(draft.id) }.value
      return template
    } catch {
      let want = try? await onDomain(draft.id, "look why it is not done") { domain in domain.wantOfRoom }
      // In a task of its own, which is not cancelled with this one. What it cannot remove is removed later.
      _ = try? await Task {
        try await ensureAbsent(draft.id)
        try await onFiles("remove half of a template") { try draft.removeIfIncomplete() }
      }.value
      throw want ?? error
    }
  }

  /// Returns the machine's type, once the guest waits for an identity.
  private func bootTemplate(
    _ draft: TemplateDraft, _ shape: MachineShape, _ version: String, _ basis: TemplateBasis
  ) async throws -> String {
    let files = files(of: draft.id)
    let definition = try await onFiles("prepare the template") {
      try prepareTemplate(files, shape, version, basis)
    }
    let machineType = try await onLibvirt("boot the template") { connection in
      let domain = try connection.create(definition)
      return try MachineType.defined(in: domain.definition())
    }
    guard let machineType else { throw DriverError(.rejected, "libvirt names no type of machine") }
    try await awaitAgent(of: draft.id)
    let channel = try await onLibvirt("reach the template") { connection in
      try ownership.existingDomain(draft.id, on: connection).openIdentityChannel()
    }
    let end = try await outcome(of: Self.guestProgram, [], in: draft.id, within: Self.preparationLimit)
    guard end.exitcode == 0 else {
      throw DriverError(.rejected, "\(Self.guestProgram) ended with \(end.exitcode ?? -1): \(end.standardError)")
    }
    let answer = try await onGuest(draft.id, "wait for the template", within: Self.preparationLimit * 2) { domain in
      try channel.line(until: .now + Self.preparationLimit) { try domain.requireRoom() }
    }
    guard answer == "waiting" else { throw DriverError(.unreachable, "the template says \(answer)") }
    return machineType
  }

  private func prepareTemplate(
    _ files: ServerFiles, _ shape: MachineShape, _ version: String, _ basis: TemplateBasis
  ) throws -> String {
    try MachineFiles.makeDirectory(ServerFiles.root(configuration.dataDirectory))
    try MachineFiles.makeDirectory(files.folder)
    let image = try images.diskPath(of: shape.imageName, version: version)
    let properties = try images.description(of: shape.imageName, version: version).properties
    try DiskRecord(instance: files.machine, properties: properties).write(to: files.diskRecord)
    try Disk(path: files.disk).create(image: image, sizeBytes: Int64(shape.storageGiB) << 30)
    let hardwareAddress = files.earlierHardwareAddress
    // No server has this address.
    let address = IPv4Address(number: 0)
    let owner = try emulatorUser.owner(
      of: files.machine, at: address, dataDirectory: configuration.dataDirectory)
    guard let hostname = Hostname("template"), let attachment = network.templateAttachment(hardwareAddress) else {
      throw DriverError(.rejected, "there are no templates for this network")
    }
    let specification = MachineSpecification(
      machine: files.machine, label: "template-\(files.machine.text.prefix(8))", hostname: hostname,
      vcpus: shape.vcpus, memoryMiB: shape.memoryMiB, storageGiB: shape.storageGiB, imageName: shape.imageName,
      imageVersion: version, interface: NetworkInterface(address: address), authorizedKey: nil, rootPasswordHash: nil,
      mayCreateDisk: true)
    let seed = Seed(specification: specification, network: GuestNetwork(), instance: files.machine)
    try PrivateFile.write(seed.archive, to: files.seed)
    try handOver(files, to: owner)
    let mark = MachineMark(
      installation: configuration.installation, label: specification.label, address: address,
      sshPort: attachment.sshPort, owner: owner, cpuWeight: ResourceLimits.standard(vcpus: 1).cpuWeight)
    let definition = DomainDefinition(
      machine: files.machine, mark: mark, vcpus: shape.vcpus, memoryMiB: shape.memoryMiB, accelerator: accelerator,
      cpuModel: basis.cpuModel, limits: specification.limits, files: files, attachment: attachment,
      daemon: configuration.daemon)
    guard let xml = IdentityPort.adding(to: definition.xml, isIncoming: false, isEmulated: accelerator == .tcg) else {
      throw DriverError(.rejected, "a definition without an end")
    }
    return xml
  }

  private func awaitAgent(of machine: UUID) async throws {
    let deadline = clock.uptime + timing.bootDeadline
    while clock.uptime < deadline {
      try Task.checkCancellation()
      let answers = try await onGuest(machine, "ping the agent") { domain in
        try domain.requireRoom()
        return (try? GuestAgent(domain: domain).ping()) != nil
      }
      if answers { return }
      try await DriverError.translating { try await clock.sleep(for: timing.pollInterval) }
    }
    throw DriverError(.unreachable, "the template did not boot in time")
  }

  private func saveTemplate(_ draft: TemplateDraft) async throws {
    let limit = Duration.seconds(60)
    try await onLibvirt("save the template", within: limit * 2) { connection in
      let domain = try ownership.existingDomain(draft.id, on: connection)
      try domain.saveMemory(to: draft.state, within: limit)
      try domain.destroy()
    }
    let disk = files(of: draft.id).disk
    try await onFiles("keep the template's disk") {
      guard rename(disk, draft.disk) == 0 else { throw HostError.last("rename \(disk)") }
    }
  }

  private func completeTemplate(
    _ draft: TemplateDraft, _ shape: MachineShape, _ version: String, _ basis: TemplateBasis, _ machineType: String
  ) async throws -> Template {
    func written(_ path: String) async throws -> TemplateFile {
      let bytes = try await onFiles("look at the template") { try MachineFiles.size(of: path) ?? 0 }
      try await syncPrivately(path, bytes: bytes)
      return TemplateFile(bytes: bytes, checksum: try await checksum(of: path, bytes: bytes))
    }
    let (disk, state) = (try await written(draft.disk), try await written(draft.state))
    try Task.checkCancellation()
    let template = try await onFiles("complete the template") {
      try draft.complete(
        TemplateDescription(
          shape: shape, imageVersion: version, basis: basis, machineType: machineType, disk: disk, state: state))
    }
    if let prints = VerifiedTemplates.prints(of: template) { verified.note(template, prints) }
    return template
  }
}

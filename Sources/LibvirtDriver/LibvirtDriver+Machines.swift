package import Core
package import Foundation
import HostImages
import HostNetwork
import HostPrograms
import PrivateFiles

extension LibvirtDriver {
  package func ensureDefined(_ specification: MachineSpecification) async throws {
    let files = files(of: specification.machine)
    let (isActive, earlierType) = try await onLibvirt("look up the machine") { connection in
      let domain = try ownership.domain(specification.machine, on: connection)
      return (try domain?.isActive() ?? false, try (domain?.definition()).flatMap(MachineType.defined))
    }
    let cpuModel = try await cpuModelOfNewMachine(files, isDefined: earlierType != nil)
    let domain = try await onFiles("prepare the files") {
      try prepare(files, for: specification, on: cpuModel, canGrow: !isActive)
      // A machine older than these files keeps its earlier type.
      if let earlierType, !MachineFiles.exists(files.machineType) {
        try PrivateFile.write(Array(earlierType.utf8), to: files.machineType)
      }
      if !isActive {
        try emulatorUser.claim(
          for: specification.machine, at: specification.interface.address, dataDirectory: configuration.dataDirectory)
      }
      return try definition(of: specification)
    }
    try await onNetwork("define the network") {
      try network.define(specification, hardwareAddress: hardwareAddress(of: specification), in: files)
    }
    let defined = try await onLibvirt("define the machine") { connection in
      _ = try ownership.domain(specification.machine, on: connection)
      return try connection.define(domain.xml).definition()
    }
    if specification.rescue == nil, !isActive {
      try await onFiles("remove the rescue system") { try files.removeRescue() }
    }
    if domain.machineType == MachineType.newest, let machineType = MachineType.defined(in: defined) {
      try await onFiles("remember the machine's type") {
        try PrivateFile.write(Array(machineType.utf8), to: files.machineType)
      }
    }
  }

  /// Nil for a machine that exists already, in whatever form.
  private func cpuModelOfNewMachine(_ files: ServerFiles, isDefined: Bool) async throws -> CPUModel? {
    if isDefined { return nil }
    let known = [files.disk, files.machineType, files.cpuModel]
    guard try await onFiles("look whether it is new", { !known.contains(where: MachineFiles.exists) }) else {
      return nil
    }
    return try await onLibvirt("learn what processor there is") { [accelerator] connection in
      CPUModel(capabilities: try connection.capabilities(of: accelerator))
    }
  }

  /// Blocks, because it reads files.
  func definition(of specification: MachineSpecification) throws -> DomainDefinition {
    let files = files(of: specification.machine)
    let interface = specification.interface
    let attachment = try network.attachment(
      of: interface, hardwareAddress: hardwareAddress(of: specification))
    let record = try DiskRecord.read(files.diskRecord)
    return DomainDefinition(
      machine: specification.machine,
      mark: MachineMark(
        installation: configuration.installation, label: specification.label, address: interface.address,
        sshPort: attachment.sshPort,
        owner: try emulatorUser.owner(
          of: specification.machine, at: interface.address, dataDirectory: configuration.dataDirectory),
        cpuWeight: specification.limits.cpuWeight),
      vcpus: specification.vcpus, memoryMiB: specification.memoryMiB, accelerator: accelerator,
      machineType: try MachineType.read(files.machineType) ?? MachineType.newest,
      cpuModel: try CPUModel.read(files.cpuModel), limits: specification.limits,
      // The rescue system is an image of ours, which boots by BIOS.
      firmware: specification.rescue == nil ? record?.properties.firmware ?? .bios : .bios, files: files,
      isRescue: specification.rescue != nil, attachment: attachment, daemon: configuration.daemon
    )
  }

  func hardwareAddress(of specification: MachineSpecification) -> HardwareAddress {
    specification.interface.hardwareAddress ?? files(of: specification.machine).earlierHardwareAddress
  }

  private func prepare(
    _ files: ServerFiles, for specification: MachineSpecification, on cpuModel: CPUModel?, canGrow: Bool
  ) throws {
    let sizeBytes = Int64(specification.storageGiB) << 30
    let disk = Disk(path: files.disk)
    // A disk with such a record has never been used.
    let clone = try CloneRecord.read(files.clone)
    if canGrow, let clone, !isWanted(clone, by: specification) { try files.removeDisk() }
    if !MachineFiles.exists(files.disk) {
      guard specification.mayCreateDisk || clone != nil else {
        throw Self.missingDisk(files)
      }
      let image = try images.diskPath(of: specification.imageName, version: specification.imageVersion)
      try MachineFiles.makeDirectory(ServerFiles.root(configuration.dataDirectory))
      try MachineFiles.makeDirectory(files.folder)
      // The record comes first, so that no disk exists without one.
      let properties = try images.description(
        of: specification.imageName, version: specification.imageVersion
      ).properties
      try DiskRecord(instance: UUID(), properties: properties).write(to: files.diskRecord)
      if !adoptsTemplate(files, for: specification, image: image, cpuModel) {
        if let cpuModel { try cpuModel.write(to: files.cpuModel) }
        try disk.create(image: image, sizeBytes: sizeBytes)
        // The record goes last: without a disk and without it, the disk counts as lost.
        try MachineFiles.remove(files.clone)
      }
      try MachineFiles.syncDirectory(of: files.folder)
    } else if canGrow {
      try disk.grow(to: sizeBytes)
    }
    let record = try DiskRecord.read(files.diskRecord) ?? .ofOurs(specification.machine)
    if record.properties.firmware == .uefi { try UEFI.prepareVariables(files.firmwareVariables) }
    try PrivateFile.write(try seed(of: specification, on: record), to: files.seed)
    if let rescue = specification.rescue { try prepare(rescue, files, for: specification) }
  }

  private func seed(of specification: MachineSpecification, on disk: DiskRecord) throws -> [UInt8] {
    let network = network.guestNetwork(of: specification.interface)
    switch disk.properties.seedFormat {
    case .vpsd: return Seed(specification: specification, network: network, instance: disk.instance).archive
    case .nocloud:
      return try NoCloudSeed(
        specification: specification, network: network, hardwareAddress: hardwareAddress(of: specification), disk: disk
      ).image
    }
  }

  package func start(_ machine: UUID) async throws {
    let files = files(of: machine)
    demand.noteStart(at: clock.uptime)
    try await endWorkOnMachineThatIsOff(machine)
    let isOff = try await onDomain(machine, "look whether it runs") { domain in try !domain.isActive() }
    try await onNetwork("attach the network") { try network.attach(files, isOff: isOff) }
    if try await startsFromMemory(machine, files) { return }
    try await onDomain(machine, "start the machine") { domain in
      guard MachineFiles.exists(files.disk) else { throw Self.missingDisk(files) }
      let isRunning = try domain.isActive()
      // A machine that already runs may have been given another weight since its definition.
      defer { if !isRunning, let mark = try? domain.mark() { keepWeight(mark.cpuWeight, of: machine, domain) } }
      guard isRunning else {
        if let owner = try domain.mark()?.owner { try handOver(files, to: owner) }
        do {
          if network.mustLookBeforeStart, let moved = try moved(domain) { return try moved.start() }
          return try domain.start()
        } catch {
          // Another call may have started the machine first.
          if (try? domain.isActive()) == true { return }
          guard let moved = try moved(domain) else { throw Self.explained(error, files) }
          return try moved.start()
        }
      }
      if try domain.state().power == .paused { try domain.resume() }
    }
  }

  /// Defines the machine anew where its network is why it does not start; returns nil where it is not.
  func moved(_ domain: Domain) throws -> Domain? {
    guard let mark = try domain.mark(), let definition = try network.mended(try domain.definition(), of: mark) else {
      return nil
    }
    return try domain.connection.define(definition)
  }

  /// libvirt's message about a disk that it cannot open is in the host's language, so the disk itself is inspected.
  private static func explained(_ error: any Error, _ files: ServerFiles) -> any Error {
    guard MachineFiles.exists(files.disk) else { return missingDisk(files) }
    if let free = try? MachineFiles.freeBytes(at: files.folder), free < 1 << 20 {
      return DriverError(.exhausted, "\(error); there is no room at \(files.folder)")
    }
    return error
  }

  package func resume(_ machine: UUID) async throws {
    let files = files(of: machine)
    let free = try await onFiles("look for room") { () -> Int64? in
      MachineFiles.exists(files.folder) ? try MachineFiles.freeBytes(at: files.folder) : nil
    }
    try await onDomain(machine, "resume the machine") { domain in
      let state = try domain.state()
      guard state.power == .paused, !state.isPausedForAWhile else { return }
      if state.isPausedForWantOfRoom, let free, free < Self.roomToGoOn {
        throw DriverError(.exhausted, "its disk could not be written, and \(free) bytes are free at \(files.folder)")
      }
      // The machine may pause again at once, and that event leads back to this call.
      guard resumptions.mayTry(machine) else {
        throw DriverError(.exhausted, "it was paused again as soon as it went on: its disk cannot be written")
      }
      do {
        try domain.resume()
      } catch {
        guard (try? domain.state().power) == .paused else { return }
        throw error
      }
    }
  }

  /// Less free space would be used up at once.
  private static let roomToGoOn: Int64 = 16 << 20

  /// Gives the machine's files to its user, whoever owned them before.
  func handOver(_ files: ServerFiles, to owner: FileOwner) throws {
    try letThrough(files, owner)
    try files.makeConsole()
    for file in [files.disk, files.seed, files.console] { try owner.take(file) }
    for file in [files.firmwareVariables, files.rescueDisk, files.rescueSeed] where MachineFiles.exists(file) {
      try owner.take(file)
    }
  }

  /// Lets the user pass to the machine's files.
  func letThrough(_ files: ServerFiles, _ owner: FileOwner) throws {
    for folder in [configuration.dataDirectory, ServerFiles.root(configuration.dataDirectory), files.folder] {
      try owner.letThrough(folder)
    }
  }

  /// A copy reads the disk that QEMU is about to lock, and a restore must not replace the disk under a running QEMU.
  private func endWorkOnMachineThatIsOff(_ machine: UUID) async throws {
    guard try await !isActive(machine) else { return }
    try await DriverError.translating { try await work.end { $0.machine == machine } }
  }

  package func requestShutdown(_ machine: UUID) async throws {
    let isActive = try await onDomain(machine, "press the power button") { domain in
      guard try domain.isActive() else { return false }
      do {
        try domain.pressPowerButton()
      } catch {
        guard (try? domain.isActive()) == false else { throw error }
        return false
      }
      return true
    }
    guard isActive else { return }
    // A guest that ignores the button may still listen to its agent.
    _ = try? await onGuest(machine, "ask the agent to shut down") { domain in
      try GuestAgent(domain: domain).shutDown()
    }
  }

  package func powerOff(_ machine: UUID) async throws {
    try await onDomain(machine, "power off the machine") { domain in try Self.ensureOff(domain) }
  }

  private static func ensureOff(_ domain: Domain) throws {
    guard try domain.isActive() else { return }
    do {
      try domain.destroy()
    } catch {
      guard (try? domain.isActive()) == false else { throw error }
    }
  }

  package func ensureAbsent(_ machine: UUID) async throws {
    let files = files(of: machine)
    let name = try await onLibvirt("remove the machine") { connection -> String? in
      guard let domain = try ownership.domain(machine, on: connection) else { return nil }
      let name = domain.name
      do {
        try Self.ensureOff(domain)
        try domain.undefine()
      } catch let error as LibvirtError where error.isMissingDomain {
        // It was transient, or another call has removed it first.
      }
      return name
    }
    // Without its machine the work fails anyway, and need not wait for the guest.
    try await DriverError.translating { try await work.end { $0.machine == machine } }
    try await onCopies("remove the copies") { try MachineFiles.remove(copyFiles(of: machine).folder) }
    try await onNetwork("release the network") { try network.release(files) }
    try await onFiles("remove the files") {
      controlGroups?.remove(machine)
      try MachineFiles.remove(files.folder)
      if let name { try MachineFiles.remove(hypervisor.daemon.logPath(domain: name)) }
    }
  }

  package func readiness(of machine: UUID) async throws -> Readiness {
    let files = files(of: machine)
    let boot = try await onDomain(machine, "look up the machine") { domain -> (mark: MachineMark, runID: Int)? in
      guard let mark = try domain.mark(), let runID = domain.runID else { return nil }
      return (mark, runID)
    }
    guard let boot else { return Readiness(hasSSHBanner: false, hasAgent: false) }
    runningPorts.note(machine, runID: boot.runID, as: boot.mark)
    let isInstant = try await onFiles("look whether it came from a template") { MachineFiles.exists(files.instantMark) }
    // The first question after a start from memory: an answer of the agent would only delay the first login.
    if readings.takesNewsOfGreeting(of: machine, runID: boot.runID) {
      return Readiness(hasSSHBanner: true, hasAgent: false, isInstant: isInstant)
    }
    async let hasAgent = onGuest(machine, "ping the agent") { domain in
      (try? GuestAgent(domain: domain).ping()) != nil
    }
    let hasBanner = await hasGreeted(machine, at: boot.mark, runID: boot.runID)
    return Readiness(hasSSHBanner: hasBanner, hasAgent: (try? await hasAgent) ?? false, isInstant: isInstant)
  }

  private func hasGreeted(_ machine: UUID, at mark: MachineMark, runID: Int) async -> Bool {
    if readings.hasGreeted(machine, runID: runID) { return true }
    let limit: Duration = accelerator == .kvm ? .seconds(2) : .seconds(5)
    let hasBanner = try? await guestThreads.run("wait for the SSH banner", within: limit * 2) {
      banners.isSent(of: machine, runID: runID, by: mark.address, port: mark.sshPort, within: limit)
    }
    guard hasBanner == true else { return false }
    readings.noteGreeting(of: machine, runID: runID)
    return true
  }

  package func applyHostname(_ hostname: Hostname, to machine: UUID) async throws {
    // cloud-init applies it at the next start.
    if try await isCloudInits(machine) { return }
    try await runInGuest(
      machine, "vpsd-set-hostname", [hostname.firstLabel, hostname.name],
      refusal: "The server did not take the new host name.")
  }

  package func applyAddresses(of interface: NetworkInterface, to machine: UUID) async throws {
    guard interface.revision > 0 else { return }
    let refusal = "The server did not take its new addresses; it will at its next start."
    if try await isCloudInits(machine) {
      throw DriverError(.rejected, "cloud-init takes addresses when a guest starts", customerReason: refusal)
    }
    try await runInGuest(
      machine, "vpsd-set-addresses", network.guestNetwork(of: interface).arguments, refusal: refusal)
  }

  private func isCloudInits(_ machine: UUID) async throws -> Bool {
    let files = files(of: machine)
    return try await onFiles("look how it is run") {
      // A rescue system is an image of ours, whatever the machine's own system is.
      try !MachineFiles.exists(files.rescueDisk)
        && DiskRecord.read(files.diskRecord)?.properties.seedFormat == .nocloud
    }
  }

  /// Runs a program that the image has in /usr/sbin.
  private func runInGuest(_ machine: UUID, _ program: String, _ arguments: [String], refusal: String) async throws {
    let end = try await outcome(of: "/usr/sbin/\(program)", arguments, in: machine)
    guard end.exitcode == 0 else {
      throw DriverError(
        .rejected, "\(program) ended with \(end.exitcode ?? -1): \(end.standardError)", customerReason: refusal)
    }
  }

  func outcome(
    of program: String, _ arguments: [String], in machine: UUID, within limit: Duration? = nil
  ) async throws -> GuestAgent.ProgramEnd {
    let process = try await onGuest(machine, "start \(program)") { domain in
      try GuestAgent(domain: domain).start(program, arguments)
    }
    let limit = limit ?? (accelerator == .kvm ? .seconds(10) : .seconds(30))
    return try await ProgramWait(program: program, limit: limit, clock: clock).end {
      try await onGuest(machine, "ask for the end of \(program)") { domain in
        do {
          return try GuestAgent(domain: domain).end(of: process)
        } catch {
          // The agent of a machine that is paused says nothing until there is room.
          throw domain.wantOfRoom ?? error
        }
      }
    }
  }

  package var enforcesFirewalls: Bool { network.enforcesFirewalls }

  package func applyFirewall(_ firewall: Firewall, _ allowance: NetworkAllowance, to machine: UUID) async throws {
    let files = files(of: machine)
    try await onNetwork("apply the firewall") { try network.apply(firewall, allowance, to: files) }
  }

  /// Runs a body that waits for the guest, on threads apart from those that do not.
  func onGuest<Value: Sendable>(
    _ machine: UUID, _ what: String, within limit: Duration = .seconds(20), on threads: BlockingThreads? = nil,
    _ body: @escaping @Sendable (Domain) throws -> Value
  ) async throws -> Value {
    try await DriverError.translating {
      try await hypervisor.perform(what, within: limit, on: threads ?? guestThreads) { connection in
        try body(try ownership.existingDomain(machine, on: connection))
      }
    }
  }
}

package import Core
package import Foundation
import HostImages
import HostNetwork
import HostPrograms
package import Logging

/// Machines of this host: QEMU through libvirt. How they are reached depends on `network`.
///
/// The truth is in libvirtd and in the servers' folders; this type only keeps caches. So any number of drivers may act on the
/// same data directory, one after the other or at once.
package struct LibvirtDriver: ComputeDriver {
  package let timing: MachineTiming
  package let accelerator: Accelerator

  let configuration: Configuration
  let images: ImageStore
  let hypervisor: Hypervisor
  let network: any MachineNetwork
  /// The network namespace of loopback machines that reach other hosts, or were started when they did.
  let namespace: OutboundNamespace?
  let runningPorts: RunningPorts
  let readings: GuestReadings
  let consoleLogs: ConsoleLogs
  /// Nil to ask the guest itself.
  let readGuest: GuestReadings.Reader?
  let ownership: Ownership
  let emulatorUser: EmulatorUser
  let clock: any WallClock
  let logger: Logger

  /// Disk work that goes on between the calls.
  let work = DiskWork(width: 4)
  /// For the folder of copies.
  let copyThreads = BlockingThreads(name: "copies", width: 4)
  /// For programs that read or write whole disks.
  let diskThreads = BlockingThreads(name: "disks", width: 4)
  /// For calls to libvirtd.
  let threads = BlockingThreads(name: "libvirt", width: 8)
  /// For the files of servers: where their disk hangs, libvirtd may still answer.
  let fileThreads = BlockingThreads(name: "files", width: 8)
  /// For calls that wait for a guest, so that guests that hang delay nobody else.
  let guestThreads = BlockingThreads(name: "guests", width: 16)
  /// For the periodic questions to guests, so that callers who wait for one guest do not wait for all of them.
  let readingThreads = BlockingThreads(name: "readings", width: 16)
  /// For the host's part of the network: if it hangs, files and libvirtd may still answer.
  let networkThreads = BlockingThreads(name: "networks", width: 4)
  let resumptions = Resumptions()
  let banners = SSHBanners()
  let templates: TemplateStore
  let verified = VerifiedTemplates()
  let demand = TemplateDemand()
  /// Nil where the host has none, or its own libvirtd manages them.
  let controlGroups: ControlGroups?
  let unkeptWeights = SaidOnce()
  let downloads: ImageDownloads

  /// Chooses accelerator and ports by trying, and starts nothing.
  package init(configuration: Configuration, clock: any WallClock, logger: Logger) throws {
    try self.init(configuration: configuration, clock: clock, logger: logger, readGuest: nil)
  }

  init(configuration: Configuration, clock: any WallClock, logger: Logger, readGuest: GuestReadings.Reader?) throws {
    self.readGuest = readGuest
    self.configuration = configuration
    self.clock = clock
    self.logger = logger
    self.accelerator = configuration.accelerator ?? .detected()
    let outbound = try configuration.outboundNamespace(logger: logger)
    let retired = outbound == nil ? configuration.retiredNamespace(logger: logger) : nil
    self.namespace = outbound ?? retired
    var host = UserSupport.ofThisHost()
    // In a network namespace of our own any user may listen on every port.
    if outbound != nil { host.lowestPort = 0 }
    self.emulatorUser = try .chosen(for: configuration, on: host, accelerator: accelerator, logger: logger)
    self.network = try configuration.machineNetwork(
      lowestPort: emulatorUser == .root ? 1 : host.lowestPort, outbound: outbound, retired: retired, logger: logger)
    self.runningPorts = RunningPorts(path: "\(configuration.dataDirectory)/running-ports")
    self.images = ImageStore(directory: configuration.imageDirectory)
    self.downloads = ImageDownloads(store: images, recipes: configuration.imageRecipes, clock: clock)
    self.controlGroups = configuration.daemon == .own ? ControlGroups(of: configuration.installation) : nil
    self.readings = GuestReadings(clock: clock)
    self.templates = TemplateStore(dataDirectory: configuration.dataDirectory)
    let dataDirectory = configuration.dataDirectory
    self.consoleLogs = ConsoleLogs(
      dataDirectory: dataDirectory,
      emulatorLogs: configuration.daemon == .own ? PrivateLibvirtd.emulatorLogs(dataDirectory: dataDirectory) : nil,
      clock: clock, logger: logger)
    self.ownership = Ownership(installation: configuration.installation)
    self.hypervisor = Hypervisor(
      daemon: try configuration.libvirtd(in: outbound, logger: logger), threads: threads, logger: logger)
    let cores = ProcessInfo.processInfo.activeProcessorCount
    switch accelerator {
    case .kvm:
      timing = MachineTiming(
        bootDeadline: .seconds(120), shutdownDeadline: .seconds(30), pollInterval: .milliseconds(500),
        bootsAtOnce: 2 * cores)
    case .tcg:
      timing = MachineTiming(
        // Images published by others take minutes to boot, and longer when several boot at once.
        bootDeadline: .seconds(600), shutdownDeadline: .seconds(60), pollInterval: .milliseconds(500),
        bootsAtOnce: cores)
      if configuration.accelerator == nil {
        logger.notice("no hardware virtualisation on this host: machines run some ten times slower (TCG)")
      }
    }
  }

  /// The SSH port of machines that are defined from now on.
  package var sshPort: Int { Int(network.sshPort) }

  package func sshPort(of machine: UUID) -> Int { Int(runningPorts.sshPort(of: machine) ?? network.sshPort) }

  package func lostPorts(of machine: UUID) -> [Int] {
    runningPorts.address(of: machine).map { network.lostPorts(at: $0) } ?? []
  }

  package func forwarding(to machine: UUID) -> PortForwarding.Share? { network.forwarding(to: machine) }

  package func capacity() async throws -> HostCapacity? {
    try await onFiles("measure the host") {
      try MachineFiles.makeDirectory(configuration.dataDirectory)
      return try HostResources.capacity(
        dataDirectory: configuration.dataDirectory, overcommitment: configuration.overcommitment)
    }
  }

  package func prepareImage(_ name: String, storageGiB: Int) async throws -> ImagePreparation {
    try await onFiles("look at the image") {
      let version: String
      do {
        version = try images.currentVersion(of: name)
      } catch let error as DriverError where error.kind == .notFound {
        try downloads.fetch(name)
        return .underWay
      }
      try requireFit(try images.description(of: name, version: version), storageGiB: storageGiB)
      try Disk.requireFit(try images.diskPath(of: name, version: version), in: Int64(storageGiB) << 30)
      return .ready(version: version)
    }
  }

  package func knownAbsence(ofImage name: String) -> ImageAbsence? { downloads.absence(of: name) }

  private func requireFit(_ image: ImageDescription, storageGiB: Int) throws {
    guard image.properties.architecture == .amd64 else {
      throw DriverError(
        .rejected, "\(image.name) is for \(image.properties.architecture.rawValue)",
        customerReason: "The operating system cannot be run here.")
    }
    if let minimum = image.minimumDiskGiB, storageGiB < minimum {
      throw DriverError(
        .rejected, "\(image.name) needs a disk of \(minimum) GiB",
        customerReason: "The operating system does not fit on the plan's disk.")
    }
    if image.properties.firmware == .uefi { try UEFI.requireInstalled() }
  }

  package func isAddressFree(_ address: ServerAddress, for machine: UUID) async throws -> Bool {
    let isHeldByMachine = try await onLibvirt("look up who has \(address)") { connection in
      guard let domain = try ownership.domain(machine, on: connection), try domain.isActive() else { return false }
      return try domain.mark().map { address == .ipv4($0.address) } ?? false
    }
    if isHeldByMachine { return true }
    return try await onFiles("look whether \(address) is free") { try network.isFree(address) }
  }

  package func events() -> AsyncStream<Void> { hypervisor.events() }

  /// Closes the connections to libvirtd and ends the event streams. Machines and libvirtd keep running.
  package func close() { hypervisor.close() }

  /// Stops our own libvirtd, which nothing else on this data directory may be using. Running machines go on. Why others are off
  /// is forgotten in any case: the host's libvirtd, which keeps running, is told to forget these machines.
  package func stop() async throws {
    if configuration.daemon == .host { try await forgetMachinesThatAreOff() }
    hypervisor.close()
    try await onFiles("stop libvirtd") {
      try hypervisor.daemon.stop()
      controlGroups?.removeUnused()
    }
    try await onNetwork("close the way out") { try namespace?.removeIfUnused() }
  }

  private func forgetMachinesThatAreOff() async throws {
    try await onLibvirt("forget the machines") { connection in
      for statistics in try ownership.filter(try connection.statistics()).values
      where try !statistics.domain.isActive() {
        try statistics.domain.undefine()
      }
    }
  }

  // MARK: - Blocking work, off the cooperative pool

  func onFiles<Value: Sendable>(
    _ what: String, within limit: Duration = .seconds(120), _ body: @escaping @Sendable () throws -> Value
  ) async throws -> Value {
    try await DriverError.translating { try await fileThreads.run(what, within: limit, body) }
  }

  func onNetwork<Value: Sendable>(
    _ what: String, within limit: Duration = .seconds(120), _ body: @escaping @Sendable () throws -> Value
  ) async throws -> Value {
    try await DriverError.translating { try await networkThreads.run(what, within: limit, body) }
  }

  func onLibvirt<Value: Sendable>(
    _ what: String, within limit: Duration = .seconds(60), _ body: @escaping @Sendable (Connection) throws -> Value
  ) async throws -> Value {
    try await DriverError.translating { try await hypervisor.perform(what, within: limit, body) }
  }

  /// Runs a body with the machine's domain; throws `notFound` where there is none of ours.
  func onDomain<Value: Sendable>(
    _ machine: UUID, _ what: String, _ body: @escaping @Sendable (Domain) throws -> Value
  ) async throws -> Value {
    try await onLibvirt(what) { connection in
      try body(try ownership.existingDomain(machine, on: connection))
    }
  }

  func files(of machine: UUID) -> ServerFiles {
    ServerFiles(dataDirectory: configuration.dataDirectory, machine: machine)
  }
}

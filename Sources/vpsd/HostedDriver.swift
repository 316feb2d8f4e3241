import Core
import Engine
import Foundation
import HostNetwork
import LibvirtDriver
import Logging
import SQLStore
import SimulatedDriver

/// A driver that can be told that all machines of its host were stopped from outside. They are then off, but not by a guest's
/// wish, so the service starts those that were active again.
protocol HostedDriver: ComputeDriver {
  /// The port at the servers' own addresses that leads to their sshd, for servers that start now.
  var sshPort: Int { get }

  /// Runs the driver's background work until cancellation. Only the service needs it.
  func run() async

  /// Sets the shapes of servers that can be ordered here, for which templates are made.
  func want(templatesOf shapes: [MachineShape])

  /// Ends the work that goes on between the calls, before the process exits.
  func endWork() async throws
  func endHost() async throws

  /// The processes of this host that run a machine of ours, whether the hypervisor knows of them or not.
  func processes() async throws -> [UUID: pid_t]

  /// The machines with our mark, and remnants of them, even while no hypervisor runs.
  func machinesOnHost() async throws -> Set<UUID>

  /// The links of its servers; nil where they have none of this machine.
  var links: ServerLinks? { get }

  /// The copies of disks that this host has, whole or in part, by machine.
  func copiesOnHost() async throws -> [UUID: Set<UUID>]

  /// Whether other hosts have the same copies, each of which is then that of its server's host.
  var sharesCopies: Bool { get }
}

extension HostedDriver {
  var sharesCopies: Bool { false }
}

extension LibvirtDriver: HostedDriver {
  /// A new libvirtd does not know why machines are off.
  func endHost() async throws { try await stop() }
}

extension SimulatedDriver: HostedDriver {
  var sshPort: Int { options.sshPort }
  var links: ServerLinks? { nil }
  /// Does nothing: simulated machines need no templates.
  func want(templatesOf shapes: [MachineShape]) {}
  /// Only waits for cancellation: a simulated host needs no background work.
  func run() async { for await _ in events() {} }
  func endHost() async throws { try hostRestarts() }
  func processes() async throws -> [UUID: pid_t] { [:] }
  func machinesOnHost() async throws -> Set<UUID> { Set(try await observe().powers.keys) }
  func copiesOnHost() async throws -> [UUID: Set<UUID>] {
    Dictionary(grouping: copies, by: \.value.machine).mapValues { Set($0.map(\.key)) }
  }
}

extension Configuration {
  /// - Parameters:
  ///   - clusters: The same for all hosts.
  ///   - network: What the drivers of this host share.
  ///   - onlyLooks: Whether to start and change nothing, whatever is found.
  func makeDriver(
    of host: HostDeclaration, installation: UUID, clusters: IncusClusters, network: NetworkReconciler?,
    clock: any WallClock, logger: Logger, onlyLooks: Bool = false
  ) throws -> any HostedDriver {
    if let containers = try containers(of: host, installation, clusters, network, clock, logger) { return containers }
    switch Driver(rawValue: host.driver) {
    case .simulated:
      // The images of all systems in the default catalogue exist, so that examples in the documentation work.
      var options = SimulatedDriver.Options()
      options.images.formUnion(Catalogue.initial.operatingSystems.map(\.imageName))
      return try SimulatedDriver(
        installation: installation, dataDirectory: directory(ofHost: host.name), isShared: sharesHosts,
        storage: simulatedStorage(ofHost: host.name, onlyLooks: onlyLooks), clock: clock, options: options)
    case .libvirt, nil:
      var libvirt = try libvirt(installation)
      libvirt.reconciler = network
      libvirt.onlyLooks = onlyLooks
      return try LibvirtDriver(configuration: libvirt, clock: clock, logger: logger)
    }
  }

  func libvirt(_ installation: UUID) throws -> LibvirtDriver.Configuration {
    var libvirt = LibvirtDriver.Configuration(
      dataDirectory: dataDirectory.path, imageDirectory: imageDirectory.path, installation: installation)
    libvirt.copyDirectory = copyDirectory.path
    libvirt.imageRecipes = imageDownloads == .onDemand ? recipeDirectory : nil
    libvirt.guestPorts = forwardedPorts.map { UInt16($0) }
    libvirt.outbound = outbound
    libvirt.mayMail = mayServersMail
    libvirt.overcommitment.memory = overcommit.memory
    libvirt.overcommitment.vcpus = overcommit.vcpus
    libvirt.overcommitment.storage = overcommit.storage
    libvirt.daemon = libvirtd
    libvirt.instantTemplates = instantTemplates
    libvirt.instantStorageBytes = Int64(instantStorageGiB) << 30
    if hasTaps, let settings = try hostNetwork() { libvirt.network = .taps(settings) }
    switch accelerator {
    case .auto: libvirt.accelerator = nil
    case .kvm: libvirt.accelerator = .kvm
    case .tcg: libvirt.accelerator = .tcg
    }
    return libvirt
  }

  func makeLogger() -> Logger {
    var logger = Logger(label: "vpsd") { label -> any LogHandler in
      switch logFormat {
      case .text: StreamLogHandler(label: label, stream: LogLines())
      case .json: JSONLogHandler()
      }
    }
    logger.logLevel = logLevel
    return logger
  }

  /// For commands: messages that the service logs at its start are left out.
  func makeCommandLogger() -> Logger {
    var logger = makeLogger()
    logger.logLevel = max(logLevel, .warning)
    return logger
  }
}

extension ConfigurationOptions {
  func openStore() async throws -> any OperatorAccounts.Stores { try await openDatabase() }

  /// Opens the existing database, at which a service may be running. Neither creates nor migrates one.
  func openDatabase() async throws -> SQLStore { try await openDatabase(of: try load()) }

  func openDatabase(of configuration: Configuration) async throws -> SQLStore {
    let directory = DataDirectory(configuration.dataDirectory)
    try directory.requireOurs()
    return try await SQLStore.open(configuration.databaseLocation, .asItIs, tariff: configuration.tariff)
  }
}

extension Configuration {
  var databaseLocation: DatabaseLocation {
    database.map { .server($0) } ?? .file(DataDirectory(dataDirectory).database)
  }

  /// The installation's ID; nil where no service has run yet.
  func installationID() async throws -> UUID? {
    let location = databaseLocation
    if case .file(let path) = location, !FileManager.default.fileExists(atPath: path) { return nil }
    return try await SQLStore.installationID(at: location)
  }

  /// Refuses a command that is only for a database in a file.
  func requireFile(_ command: String) throws {
    guard database == nil else {
      throw Refusal.refused(
        "`\(command)` is for a database in a file, and `database` names a server of PostgreSQL: it is copied and restored "
          + "with pg_dump and pg_restore (docs/scale.md).")
    }
  }
}

extension HostedFleet {
  /// Whether servers may have disks that are based on images.
  var haveDisks: Bool { members.contains { !($0.driver is SimulatedDriver) } }
}

import Core
import Engine
import Foundation
import LibvirtDriver
import Logging
import SQLStore
import SimulatedDriver

/// A driver whose host can be told that its machines were stopped from outside: they are off, and nobody in the guests
/// wanted it, so that what was active comes back.
protocol HostedDriver: ComputeDriver {
  /// The port of the servers' own addresses that leads to their sshd, where the next one starts.
  var sshPort: Int { get }

  /// What it does beside the calls, until it is cancelled: for the service.
  func run() async

  /// Ends what goes on between the calls, before the process does.
  func endWork() async throws
  func endHost() async throws

  /// The processes of this host that run a machine of ours, whether its hypervisor knows of them or not.
  func processes() async throws -> [UUID: pid_t]

  /// The machines that bear our mark, or what is left of them, also while nothing runs them.
  func machinesOnHost() async throws -> Set<UUID>

  /// The copies of disks that this host has, whole or in part, by machine.
  func copiesOnHost() async throws -> [UUID: Set<UUID>]
}

extension LibvirtDriver: HostedDriver {
  /// A new libvirtd does not remember why machines are off.
  func endHost() async throws { try await stop() }
}

extension SimulatedDriver: HostedDriver {
  var sshPort: Int { options.sshPort }
  /// There is nothing to do.
  func run() async { for await _ in events() {} }
  func endHost() async throws { try hostRestarts() }
  func processes() async throws -> [UUID: pid_t] { [:] }
  func machinesOnHost() async throws -> Set<UUID> { Set(try await observe().powers.keys) }
  func copiesOnHost() async throws -> [UUID: Set<UUID>] {
    Dictionary(grouping: copies, by: \.value.machine).mapValues { Set($0.map(\.key)) }
  }
}

extension Configuration {
  /// - Parameter onlyLooks: Whether nothing is to be started or changed, whatever is found.
  func makeDriver(
    of host: HostDeclaration, installation: UUID, clock: any WallClock, logger: Logger, onlyLooks: Bool = false
  ) throws -> any HostedDriver {
    switch Driver(rawValue: host.driver) {
    case .simulated:
      // Whoever tries the samples of the documentation finds what they order.
      var options = SimulatedDriver.Options()
      options.images.formUnion(Catalogue.initial.operatingSystems.map(\.imageName))
      return try SimulatedDriver(
        installation: installation, dataDirectory: directory(ofHost: host.name), isShared: sharesDatabase, clock: clock,
        options: options)
    case .libvirt, nil:
      var libvirt = try libvirt(installation)
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
    if let settings = try hostNetwork() { libvirt.network = .taps(settings) }
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

  /// For an operator's command: what the service says at its start is not said again by each of them.
  func makeCommandLogger() -> Logger {
    var logger = makeLogger()
    logger.logLevel = max(logLevel, .warning)
    return logger
  }
}

extension ConfigurationOptions {
  func openStore() async throws -> any OperatorAccounts.Stores { try await openDatabase() }

  /// The database that is there, beside a service that may be running on it; none is made, and none brought up to date.
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

  /// The name of the installation; nil where no service has been.
  func installationID() async throws -> UUID? {
    let location = databaseLocation
    if case .file(let path) = location, !FileManager.default.fileExists(atPath: path) { return nil }
    return try await SQLStore.installationID(at: location)
  }

  /// For what is about the file alone.
  func requireFile(_ command: String) throws {
    guard database == nil else {
      throw Refusal.refused(
        "`\(command)` is for a database in a file, and `database` names a server of PostgreSQL: it is copied and restored "
          + "with pg_dump and pg_restore (docs/scale.md).")
    }
  }
}

extension HostedFleet {
  /// Whether there may be disks of servers that build on images.
  var haveDisks: Bool { members.contains { !($0.driver is SimulatedDriver) } }
}

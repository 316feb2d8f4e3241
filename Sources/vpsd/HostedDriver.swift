import ArgumentParser
import Core
import Foundation
import LibvirtDriver
import Logging
import SQLStore
import SimulatedDriver

/// A driver whose host can be told that its machines were stopped from outside: they are off, and nobody in the guests
/// wanted it, so that what was active comes back.
protocol HostedDriver: ComputeDriver {
  /// Ends what goes on between the calls, before the process does.
  func endWork() async throws
  func endHost() async throws

  /// The processes of this host that run a machine of ours, whether its hypervisor knows of them or not.
  func processes() async throws -> [UUID: pid_t]

  /// The copies of disks that this host has, whole or in part, by machine.
  func copiesOnHost() async throws -> [UUID: Set<UUID>]
}

extension LibvirtDriver: HostedDriver {
  /// A new libvirtd does not remember why machines are off.
  func endHost() async throws { try await stop() }
}

extension SimulatedDriver: HostedDriver {
  func endHost() async throws { try hostRestarts() }
  func processes() async throws -> [UUID: pid_t] { [:] }
  func copiesOnHost() async throws -> [UUID: Set<UUID>] {
    Dictionary(grouping: copies, by: \.value.machine).mapValues { Set($0.map(\.key)) }
  }
}

extension Configuration {
  func makeDriver(installation: UUID, clock: any WallClock, logger: Logger) throws -> any HostedDriver {
    switch driver {
    case .simulated:
      try SimulatedDriver(installation: installation, dataDirectory: dataDirectory, clock: clock)
    case .libvirt:
      try LibvirtDriver(configuration: libvirt(installation), clock: clock, logger: logger)
    }
  }

  private func libvirt(_ installation: UUID) -> LibvirtDriver.Configuration {
    var libvirt = LibvirtDriver.Configuration(
      dataDirectory: dataDirectory.path, imageDirectory: imageDirectory.path, installation: installation)
    libvirt.copyDirectory = copyDirectory.path
    libvirt.guestPorts = forwardedPorts.map { UInt16($0) }
    libvirt.allowsOutbound = isOutboundAllowed
    libvirt.overcommitment.memory = overcommit.memory
    libvirt.overcommitment.vcpus = overcommit.vcpus
    libvirt.overcommitment.storage = overcommit.storage
    libvirt.daemon = libvirtd
    switch accelerator {
    case .auto: libvirt.accelerator = nil
    case .kvm: libvirt.accelerator = .kvm
    case .tcg: libvirt.accelerator = .tcg
    }
    return libvirt
  }

  func makeLogger() -> Logger {
    var logger = Logger(label: "vpsd", factory: { StreamLogHandler(label: $0, stream: LogLines()) })
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
  /// The store of the data directory, beside a service that may be running on it.
  func openStore() throws -> any Store {
    let directory = DataDirectory(try load().dataDirectory)
    try directory.ensureExists()
    return try SQLStore(path: directory.database)
  }

  /// The database that is there; none is made.
  func openDatabase() throws -> SQLStore {
    let path = DataDirectory(try load().dataDirectory).database
    guard FileManager.default.fileExists(atPath: path) else {
      throw ValidationError("There is no database at \(path): start the service once.")
    }
    return try SQLStore(path: path)
  }
}

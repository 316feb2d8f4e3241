import Core
import Engine
import LibvirtDriver
import Logging
import SQLStore

import struct Foundation.URL
import struct Foundation.UUID

/// The configured hosts with their drivers.
struct HostedFleet: Sendable {
  struct Member: Sendable {
    let host: FleetHost
    let driverName: String
    /// The code of its location; nil for the host of every location that has none of its own.
    let location: String?
    let driver: any HostedDriver
  }

  let members: [Member]
  let fleet: Fleet

  private init(_ members: [Member]) {
    self.members = members
    fleet = Fleet(members.map(\.host))
  }

  /// Keeps telling the drivers what can be ordered on their hosts, until cancellation.
  func wantTemplates(_ store: any CatalogueStore, _ clock: any WallClock, _ logger: Logger) async {
    while !Task.isCancelled {
      do {
        let catalogue = try await store.catalogue()
        for member in members { member.driver.want(templatesOf: catalogue.shapes(at: member.location)) }
      } catch {
        logger.debug("what is ordered is not known", metadata: ["error": "\(error)"])
      }
      try? await clock.sleep(for: .seconds(30))
    }
  }

  /// For the service: registers new hosts in the database.
  static func register(
    _ configuration: Configuration, _ store: any HostStore & CatalogueStore & InstallationStore, clock: any WallClock,
    logger: Logger
  )
    async throws -> HostedFleet
  {
    let declared = try await declarations(configuration, store)
    let hosts =
      if let own = configuration.ownHost {
        [
          try await store.registerOwnHost(
            own, of: DataDirectory(configuration.dataDirectory).id(),
            mayShareLocation: configuration.driver == .simulated || configuration.network == .bridge, at: clock.now)
        ]
      } else {
        try await registered(declared, store, at: clock.now)
      }
    let fleet = try await make(
      hosts, configuration, installation: store.installationID(), clock: clock, logger: logger)
    try await fleet.requireSharedStorage()
    for member in fleet.members {
      try await store.recordFirewalls(of: member.host.id, areEnforced: member.driver.enforcesFirewalls)
    }
    return fleet
  }

  private static func registered(
    _ declared: [HostDeclaration], _ store: any HostStore, at now: Timestamp
  ) async throws -> [Host] {
    try requireRenamed(declared, among: try await store.hosts())
    return try await store.registerHosts(declared, at: now)
  }

  /// For a command that only looks: the hosts that the service has registered.
  static func open(
    _ configuration: Configuration, _ store: any HostStore & CatalogueStore & InstallationStore, logger: Logger
  ) async throws -> HostedFleet {
    let names = Set(try await declarations(configuration, store).map(\.name))
    let hosts = try await store.hosts().map(\.host).filter { names.contains($0.name) }
    return try await make(
      hosts, configuration, installation: store.installationID(), clock: SystemClock(), logger: logger,
      onlyLooks: true)
  }

  /// The drivers of every host that the configuration may mean. The database is not read, because it may be of another version.
  static func drivers(_ configuration: Configuration, installation: UUID) throws -> [any HostedDriver] {
    let logger = configuration.makeCommandLogger()
    let clusters = IncusClusters()
    let network = try configuration.networkReconciler(installation, logger)
    return try configuration.hosts(servingLocations: [], hasLocalServers: true).map { declared in
      try configuration.makeDriver(
        of: declared, installation: installation, clusters: clusters, network: network, clock: SystemClock(),
        logger: logger)
    }
  }

  /// Whether servers are, or can be, on this machine itself.
  static func hasLocalHost(
    _ configuration: Configuration, _ store: any HostStore & CatalogueStore & InstallationStore
  ) async throws -> Bool {
    try await declarations(configuration, store).contains { $0.name == HostDeclaration.localName }
  }

  private static func declarations(
    _ configuration: Configuration, _ store: any HostStore & CatalogueStore & InstallationStore
  ) async throws -> [HostDeclaration] {
    let codes = try await store.catalogue().locations.map(\.code)
    if let unknown = configuration.locations.keys.sorted().first(where: { !codes.contains($0) }) {
      throw UnknownLocation(key: "locations", code: unknown, known: codes)
    }
    if let unknown = configuration.hostLocation, !codes.contains(unknown) {
      throw UnknownLocation(key: "host_location", code: unknown, known: codes)
    }
    let local = try await store.hosts().first { $0.host.name == HostDeclaration.localName }
    return configuration.hosts(servingLocations: codes, hasLocalServers: local.map { $0.serverCount > 0 } ?? false)
  }

  private static func make(
    _ hosts: [Host], _ configuration: Configuration, installation: UUID, clock: any WallClock, logger: Logger,
    onlyLooks: Bool = false
  ) throws -> HostedFleet {
    let clusters = IncusClusters()
    let network = try configuration.networkReconciler(installation, logger)
    return HostedFleet(
      try hosts.map { host in
        let driver = try configuration.makeDriver(
          of: HostDeclaration(name: host.name, location: host.location, driver: host.driver),
          installation: installation, clusters: clusters, network: network, clock: clock, logger: logger,
          onlyLooks: onlyLooks)
        return Member(
          host: FleetHost(host, driver: driver), driverName: host.driver, location: host.location, driver: driver)
      })
  }
}

extension Catalogue {
  /// The shapes that can be ordered at a location; nil for any.
  func shapes(at location: String?) -> [MachineShape] {
    let plans = plans.filter { plan in plan.isAvailable && location.map(plan.locations.contains) ?? true }
    let images = Set(operatingSystems.filter(\.isAvailable).map(\.imageName))
    return plans.flatMap { plan in
      images.map { image in
        MachineShape(
          imageName: image, vcpus: plan.vcpus, memoryMiB: plan.memoryMiB, storageGiB: plan.storageGiB)
      }
    }
  }
}

struct UnknownLocation: Error, CustomStringConvertible {
  /// The key of the configuration.
  let key: String
  let code: String
  let known: [String]

  var description: String {
    "\(key): there is no location \(code.quoted) in the catalogue. Known are: \(known.joined(separator: ", "))."
  }
}

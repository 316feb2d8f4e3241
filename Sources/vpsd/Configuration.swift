import API
import Core
import Engine
import Foundation
import HostNetwork
import LibvirtDriver
import Logging
import ReverseDNS
import SQLStore

/// All settings of the daemon, checked. Each of its keys is described in `ConfigurationKey.all`.
struct Configuration: Sendable, Equatable {
  enum Driver: String, Sendable, CaseIterable {
    case libvirt, simulated
  }

  enum Network: String, Sendable, CaseIterable {
    case loopback, routed, bridge

    /// Whether each server has a tap of its own, whose traffic this host counts and filters.
    var hasTaps: Bool { self != .loopback }
  }

  /// Whether missing images are downloaded when servers are ordered.
  enum ImageDownloads: String, Sendable, CaseIterable {
    case onDemand = "on-demand"
    case off
  }

  enum Accelerator: String, Sendable, CaseIterable {
    /// KVM where it truly works, else TCG.
    case auto, kvm, tcg
  }

  enum LogFormat: String, Sendable, CaseIterable {
    case text, json
  }

  /// The factors by which the resources promised to servers may exceed those of the host.
  struct Overcommit: Sendable, Equatable {
    var vcpus = 16.0
    var memory = 1.0
    var storage = 2.0
  }

  var dataDirectory: URL
  var imageDirectory: URL
  var copyDirectory: URL
  var recipeDirectory: URL
  var noVNCDirectory: URL
  /// The PostgreSQL server with the database; nil for a file in the data directory.
  var database: PostgreSQLAddress?
  /// The folder of simulated hosts that several services share; nil where each service has hosts of its own.
  var simulatedDirectory: URL?
  /// The name of this service's own host beside those of other services; nil where a single service uses the database.
  var hostName: String?
  /// The code of that host's location; nil for all locations that have no host of their own.
  var hostLocation: String?
  /// Where browsers reach this service and no other one.
  var hostURL: PublicURL?
  var instantTemplates = LibvirtDriver.Configuration.InstantTemplates.off
  var instantStorageGiB = 8
  var keepsTemplates: Bool { instantTemplates != .off }
  var imageDownloads = ImageDownloads.onDemand
  var listen = ListenAddress(host: "127.0.0.1", port: 8080)
  /// The time between the end of `/readyz` and that of the listener.
  var drainSeconds = 0
  /// The URL at which clients reach the service; nil to use the host of each request.
  var publicURL: PublicURL?
  /// The proxies whose headers about a request's origin are trusted.
  var trustedProxies: [IPNetwork] = []
  var driver = Driver.libvirt
  var libvirtd = LibvirtDriver.Configuration.Daemon.own
  var addressRanges = ["127.80.0.0/16"]
  var reservedAddresses: [String] = []
  /// The addresses of the ranges without the reserved ones.
  var addressPool = AddressPool("127.80.0.0/16")!
  var addressPool6: IPv6Pool?
  /// By the location's code.
  var locations: [String: LocationSettings] = [:]
  var forwardedPorts = [22, 80, 443]
  /// The ports of this host that are forwarded to servers with private addresses in a routed network; nil for none.
  var forwardRange: ClosedRange<Int>?
  /// Nil for the uplink's address.
  var forwardAddress: IPv4Address?
  var outbound = LibvirtDriver.Configuration.Outbound.auto
  var network = Network.loopback
  /// The bridge of this host that servers are ports of; nil for none.
  var bridge: String?
  /// The routers by which servers on the bridge reach the world.
  var bridgeGateways: [LinkGateway] = []
  var isBridgeIsolating = true
  /// Nil for the link of the default route.
  var uplink: String?
  /// Nil for the uplink's MTU.
  var mtu: Int?
  /// Nil for the host's name servers.
  var nameServers: [IPAddress]?
  /// Private networks that servers of a routed network may reach.
  var openNetworks: [IPNetwork] = []
  var mayServersMail = false
  var reverseNames = ReverseNameSettings()
  /// Whether a reverse name set by a customer must resolve to its address.
  var mustReverseNamesLeadBack = false
  /// Nil for the resolver of this host.
  var reverseNameResolver: NameServerAddress?
  /// Whether there is a web panel beside the API.
  var hasPanel = true
  /// How many addresses a server may have, of both families together.
  var addressesPerServer = 16
  /// How many seconds a released address cannot be given to another account that asks for it by name.
  var addressRest = 3600
  var accelerator = Accelerator.auto
  var logLevel = Logger.Level.info
  var logFormat = LogFormat.text
  /// The address of the metrics page; nil for none.
  var metricsListen: ListenAddress?
  var overcommit = Overcommit()
  var limits = RequestLimits()
  var connections = ConnectionLimits()
  var consoles = Consoles.Limits()
  /// How many servers an account may have; 0 for no limit.
  var serverQuota = 100
  /// How many manual backups and snapshots a server may have; 0 for no limit.
  var copyQuota = 50
  /// How many tokens, and how many SSH keys, an account may have; 0 for no limit.
  var tokenQuota = 100
  var sshKeyQuota = 100
  var idempotency = Idempotency.Limits()
  /// The charges in addition to the prices of plans.
  var rates = Tariff()
  var bandwidthOverage = BandwidthOverage.none
  /// Mbit/s.
  var bandwidthThrottle = 10
  /// The price of a GB.
  var bandwidthPrice = Money(microunits: 10_000)
  var stateBackups = StateBackupSettings()
  /// How the owners of accounts are notified.
  var notify = NotifySettings()

  /// The defaults.
  init(workingDirectory: URL, executable: URL) {
    dataDirectory = workingDirectory.appendingPathComponent("var", isDirectory: true)
    imageDirectory = Self.imageDirectory(in: dataDirectory)
    copyDirectory = Self.copyDirectory(in: dataDirectory)
    recipeDirectory = Self.recipeDirectory(for: executable)
    noVNCDirectory = Self.noVNCDirectory(for: executable)
  }

  static func imageDirectory(in dataDirectory: URL) -> URL {
    dataDirectory.appendingPathComponent("images", isDirectory: true)
  }

  static func copyDirectory(in dataDirectory: URL) -> URL {
    dataDirectory.appendingPathComponent("copies", isDirectory: true)
  }

  /// The recipes of the checkout in which the executable was built, else those installed beside it.
  private static func recipeDirectory(for executable: URL) -> URL {
    if let checkout = checkout(of: executable) {
      return checkout.appendingPathComponent("images", isDirectory: true)
    }
    return executable.deletingLastPathComponent().deletingLastPathComponent()
      .appendingPathComponent("share/vpsd/images", isDirectory: true)
  }

  /// The folder in the checkout into which scripts/setup installs it, else that of Debian's package.
  private static func noVNCDirectory(for executable: URL) -> URL {
    checkout(of: executable)?.appendingPathComponent(".build/novnc", isDirectory: true)
      ?? URL(fileURLWithPath: "/usr/share/novnc", isDirectory: true)
  }

  /// Nil for an installed executable.
  private static func checkout(of executable: URL) -> URL? {
    let folders = executable.deletingLastPathComponent().pathComponents
    guard let build = folders.lastIndex(of: ".build") else { return nil }
    return URL(fileURLWithPath: NSString.path(withComponents: Array(folders[..<build])), isDirectory: true)
  }
}

extension ConnectionLimits {
  var firstRequestSeconds: Int {
    get { Int(firstRequest.components.seconds) }
    set { firstRequest = .seconds(newValue) }
  }

  var idleSeconds: Int {
    get { Int(idle.components.seconds) }
    set { idle = .seconds(newValue) }
  }

  var transferSeconds: Int {
    get { Int(transfer.components.seconds) }
    set { transfer = .seconds(newValue) }
  }
}

extension Configuration {
  /// The panel needs a `public_url` without a path, because the links on its pages begin at the root of the host.
  var showsPanel: Bool { hasPanel && publicURL?.path.isEmpty ?? true }

  /// Whether other services may use the same database.
  var sharesDatabase: Bool { sharesHosts || database != nil && hostName != nil }

  /// Whether the hosts are those of all services of the database.
  var sharesHosts: Bool { database != nil && simulatedDirectory != nil && driver == .simulated }

  /// The name of the host on this machine.
  var localHostName: String { hostName ?? HostDeclaration.localName }

  /// Links in mails need a `public_url` set by the operator, because the host in a request can be forged.
  var mailsLinks: Bool { showsPanel && publicURL != nil && (!notify.command.isEmpty || notify.webhook != nil) }

  static let noPanel =
    "There is no panel: the key panel (VPSD_PANEL) is false, or public_url has a path, below which the panel cannot be."
}

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

    /// Whether each server has a tap of its own, whose traffic this host counts and holds to rules.
    var hasTaps: Bool { self != .loopback }
  }

  /// Whether images are fetched for servers that are ordered.
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

  /// How often a thing of the host is given away.
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
  /// The server of PostgreSQL where the database is; nil for a file in the data directory.
  var database: PostgreSQLAddress?
  /// Where simulated hosts are that several services share; nil where one has the database.
  var simulatedDirectory: URL?
  var imageDownloads = ImageDownloads.onDemand
  var listen = ListenAddress(host: "127.0.0.1", port: 8080)
  /// Between the end of `/readyz` and that of the listener.
  var drainSeconds = 0
  /// Where clients reach the service; nil for where each of them says that it does.
  var publicURL: PublicURL?
  /// The proxies that are believed when they say whose request they pass on.
  var trustedProxies: [IPNetwork] = []
  var driver = Driver.libvirt
  var libvirtd = LibvirtDriver.Configuration.Daemon.own
  var addressRanges = ["127.80.0.0/16"]
  var reservedAddresses: [String] = []
  /// Those of the ranges that are not reserved.
  var addressPool = AddressPool("127.80.0.0/16")!
  var addressPool6: IPv6Pool?
  /// By the location's code.
  var locations: [String: LocationSettings] = [:]
  var forwardedPorts = [22, 80, 443]
  /// The ports of this host that lead to servers of a routed network at private addresses; nil for none.
  var forwardRange: ClosedRange<Int>?
  /// Nil for the uplink's.
  var forwardAddress: IPv4Address?
  var outbound = LibvirtDriver.Configuration.Outbound.auto
  var network = Network.loopback
  /// The bridge of this host that servers are ports of; nil for none.
  var bridge: String?
  /// What they reach the world by there.
  var bridgeGateways: [LinkGateway] = []
  var isBridgeIsolating = true
  /// Nil for the link of the default route.
  var uplink: String?
  /// Nil for the uplink's.
  var mtu: Int?
  /// Nil for the host's.
  var nameServers: [IPAddress]?
  /// Of private networks, which servers of a routed network reach.
  var openNetworks: [IPNetwork] = []
  var mayServersMail = false
  var reverseNames = ReverseNameSettings()
  /// Whether a name of a customer's must lead to the address that it is given to.
  var mustReverseNamesLeadBack = false
  /// Nil for the resolver of this host.
  var reverseNameResolver: NameServerAddress?
  /// Whether there is a web panel beside the API.
  var hasPanel = true
  /// How many addresses a server may have, of both families together.
  var addressesPerServer = 16
  /// For how many seconds an address that was released is not given by its name to another account.
  var addressRest = 3600
  var accelerator = Accelerator.auto
  var logLevel = Logger.Level.info
  var logFormat = LogFormat.text
  /// Where figures of the service can be read; nil for nowhere.
  var metricsListen: ListenAddress?
  var overcommit = Overcommit()
  var limits = RequestLimits()
  var connections = ConnectionLimits()
  var consoles = Consoles.Limits()
  /// How many servers an account may have; 0 for as many as it likes.
  var serverQuota = 100
  /// How many backups made by hand and snapshots a server may have; 0 for as many as its owner likes.
  var copyQuota = 50
  /// How many tokens, and how many SSH keys, an account may have; 0 for as many as it likes.
  var tokenQuota = 100
  var sshKeyQuota = 100
  var idempotency = Idempotency.Limits()
  /// What hours cost beside the prices of plans.
  var rates = Tariff()
  var bandwidthOverage = BandwidthOverage.none
  /// Mbit/s.
  var bandwidthThrottle = 10
  /// Of a GB.
  var bandwidthPrice = Money(microunits: 10_000)
  var stateBackups = StateBackupSettings()
  /// How owners of accounts are told what happens.
  var notify = NotifySettings()

  /// What holds where nothing is configured.
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

  /// The recipes of the checkout that the executable was built in, else those that are installed beside it.
  private static func recipeDirectory(for executable: URL) -> URL {
    if let checkout = checkout(of: executable) {
      return checkout.appendingPathComponent("images", isDirectory: true)
    }
    return executable.deletingLastPathComponent().deletingLastPathComponent()
      .appendingPathComponent("share/vpsd/images", isDirectory: true)
  }

  /// Where scripts/setup puts it in the checkout that the executable was built in, else where Debian's package does.
  private static func noVNCDirectory(for executable: URL) -> URL {
    checkout(of: executable)?.appendingPathComponent(".build/novnc", isDirectory: true)
      ?? URL(fileURLWithPath: "/usr/share/novnc", isDirectory: true)
  }

  /// Nil for an executable that is installed.
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
  /// The pages of the panel name each other by paths that begin at the root of their host.
  var showsPanel: Bool { hasPanel && publicURL?.path.isEmpty ?? true }

  /// Whether other services may be on the same database: what all hosts are must be of any of them.
  var sharesDatabase: Bool { database != nil && simulatedDirectory != nil && driver == .simulated }

  /// Where a link in a mail leads to must be said by the operator: what a request says of its host, anybody can say.
  var mailsLinks: Bool { showsPanel && publicURL != nil && (!notify.command.isEmpty || notify.webhook != nil) }

  static let noPanel =
    "There is no panel: the key panel (VPSD_PANEL) is false, or public_url has a path, below which the panel cannot be."
}

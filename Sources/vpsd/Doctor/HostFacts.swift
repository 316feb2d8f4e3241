import Core
import Foundation
import ReverseDNS

/// The facts about a host and its installation, without a judgement. What could not be examined is nil or left out.
struct HostFacts: Sendable {
  struct Processor: Sendable {
    enum Device: Sendable { case missing, closed, open }

    var isCapable = true
    var device = Device.open
  }

  /// A folder in which the service stores something.
  struct Folder: Sendable {
    var key: String
    var path: String
    var freeBytes: Int64
    var totalBytes: Int64
    /// The free inodes in thousandths of all; nil where there is no limit.
    var freeFilesPermille: Int?
    /// How long it takes to write and sync a small file.
    var syncMilliseconds: Int?
  }

  struct Memory: Sendable {
    var totalMiB: Int
    var availableMiB: Int
    var swapMiB: Int
    /// The memory that is reserved for servers on this host.
    var reservedMiB: Int
  }

  /// The IPv4 addresses of a location's pool.
  struct Pool: Sendable {
    var text: String
    var size: Int
    var taken: Int
  }

  struct Listener: Sendable {
    var key: String
    var address: ListenAddress
    /// Why the address cannot be listened on; nil where it can.
    var obstacle: String?
  }

  struct PrivateFile: Sendable {
    var path: String
    var permissions: Int
  }

  /// The name of this machine's host.
  var hostName = HostDeclaration.localName

  struct Image: Sendable {
    var system: String
    var name: String
    var isThere: Bool
    /// Whether the first order downloads it.
    var isFetched: Bool
  }

  /// A fault that keeps reverse names of some locations from reaching their DNS server.
  struct NameTrouble: Sendable {
    enum Kind: Sendable {
      case silent(reason: String)
      case keyIsRefused
      /// The server has no zone for these addresses, of those that were tried.
      case homeless([IPAddress])
    }

    var locations: [String]
    var server: NameServerAddress
    var keyFile: String
    /// One of the addresses of these locations.
    var address: IPAddress
    var kind: Kind
  }

  /// Names that a DNS server has refused, with its reason for one of them.
  struct RefusedNames: Sendable {
    var location: String
    var count: Int
    var reason: String
  }

  enum StateBackupAge: Sendable {
    case none
    case minutes(Int)
  }

  enum Database: Sendable {
    case missing(String)
    case unusable(String)
    /// With contradictions between its records, and the size of its log.
    case open(contradictions: [String], logBytes: Int64)
  }

  var configuration: Configuration
  /// Whether the service runs.
  var isServed = false
  /// Whether something listens at the address of the service.
  var answers = true
  var isRoot = true
  var processor = Processor()
  /// The missing programs among those that are needed, with the packages that contain them.
  var missingPrograms: [(program: String, package: String, isNeeded: Bool)] = []
  /// Why QEMU runs as root; nil where it does not.
  var emulatorObstacle: String?
  /// The hosts that did not answer, with the reason.
  var silentHosts: [(host: String, reason: String)] = []
  /// What makes the Incus of a host unfit.
  var incusFaults: [(host: String, fault: String)] = []
  /// How machines differ from the records of their servers.
  var differences: [String] = []
  var images: [Image] = []
  var folders: [Folder] = []
  var memory: Memory?
  var pools: [Pool] = []
  var listeners: [Listener] = []
  /// Guest ports whose port at the servers' addresses is taken by a program of the host: the port that leads there instead.
  var shiftedPorts: [Int: Int] = [:]
  /// Problems of a routed network or a bridge; empty unless the service runs.
  var networkProblems: [String] = []
  var forwardsPackets = true
  /// Why the configuration for reverse names cannot be used.
  var namingFault: String?
  var nameTroubles: [NameTrouble] = []
  var refusedNames: [RefusedNames] = []
  var isClockSynchronised: Bool?
  var isBillingClockDoubted = false
  var unsafeDirectory: String?
  var privateFiles: [PrivateFile] = []
  var keyFault: String?
  var database = Database.open(contradictions: [], logBytes: 0)
  /// The age of the newest copy of its state that the service has made.
  var stateBackupAge: StateBackupAge?
  var orphans: [Orphan] = []
}

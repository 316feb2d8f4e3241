import Core
import Foundation
import ReverseDNS

/// What was seen of a host and its installation, before anybody judges it. What could not be looked at is nil or not in it.
struct HostFacts: Sendable {
  struct Processor: Sendable {
    enum Device: Sendable { case missing, closed, open }

    var isCapable = true
    var device = Device.open
  }

  /// A place where the service keeps something.
  struct Folder: Sendable {
    var key: String
    var path: String
    var freeBytes: Int64
    var totalBytes: Int64
    /// Of the files that it can have; nil where it has no bound.
    var freeFilesPermille: Int?
    /// What it takes to have a small file on the disk for good.
    var syncMilliseconds: Int?
  }

  struct Memory: Sendable {
    var totalMiB: Int
    var availableMiB: Int
    var swapMiB: Int
    /// Of servers, on this host.
    var reservedMiB: Int
  }

  /// The IPv4 addresses that a location gives.
  struct Pool: Sendable {
    var text: String
    var size: Int
    var taken: Int
  }

  struct Listener: Sendable {
    var key: String
    var address: ListenAddress
    /// Why it cannot be listened to; nil where it can.
    var obstacle: String?
  }

  struct PrivateFile: Sendable {
    var path: String
    var permissions: Int
  }

  struct Image: Sendable {
    var system: String
    var name: String
    var isThere: Bool
    /// Whether the first order fetches it.
    var isFetched: Bool
  }

  /// What keeps names of addresses of some locations from their DNS server.
  struct NameTrouble: Sendable {
    enum Kind: Sendable {
      case silent(reason: String)
      case keyIsRefused
      /// Of some that were asked for.
      case homeless([IPAddress])
    }

    var locations: [String]
    var server: NameServerAddress
    var keyFile: String
    /// One of theirs.
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
    /// With what contradicts something else in it, and how large its log is.
    case open(contradictions: [String], logBytes: Int64)
  }

  var configuration: Configuration
  /// Whether the service runs.
  var isServed = false
  /// Whether somebody listens where it says.
  var answers = true
  var isRoot = true
  var processor = Processor()
  /// Of those that are needed, with the package that has them.
  var missingPrograms: [(program: String, package: String, isNeeded: Bool)] = []
  /// Why QEMU is root; nil where it is not.
  var emulatorObstacle: String?
  /// Of hosts that were asked, with why they did not answer.
  var silentHosts: [(host: String, reason: String)] = []
  /// How machines differ from their servers.
  var differences: [String] = []
  var images: [Image] = []
  var folders: [Folder] = []
  var memory: Memory?
  var pools: [Pool] = []
  var listeners: [Listener] = []
  /// Ports of servers' addresses that lead to others than the guest's, because a program of the host has theirs.
  var shiftedPorts: [Int: Int] = [:]
  /// Of a routed network or a bridge, while the service runs.
  var networkProblems: [String] = []
  var forwardsPackets = true
  /// Why nobody can be told names by what is configured.
  var namingFault: String?
  var nameTroubles: [NameTrouble] = []
  var refusedNames: [RefusedNames] = []
  var isClockSynchronised: Bool?
  var isBillingClockDoubted = false
  var unsafeDirectory: String?
  var privateFiles: [PrivateFile] = []
  var keyFault: String?
  var database = Database.open(contradictions: [], logBytes: 0)
  /// How old the newest copy is that the service makes of its state.
  var stateBackupAge: StateBackupAge?
  var orphans: [Orphan] = []
}

package import Core
package import Foundation

/// How a simulated guest differs from an ordinary one.
package enum GuestQuirk: String, Codable, Sendable, CaseIterable {
  case ignoresShutdown
  case sshNeverAnswers
  case agentNeverAnswers
  case userDataFails
  case userDataNeverEnds
  /// No misbehaviour: it came from a template.
  case isInstant
}

/// The whole state of a simulated machine. It stores when things were requested and computes the present state from the time of
/// day, so that nothing has to run for it to boot or to shut down. What began later than now began before the clock was set
/// back, and counts as over.
package struct SimulatedMachine: SimulatedRecord {
  package let uuid: UUID
  /// The mark of the installation that made it.
  let installation: UUID
  // What is large, and the same in most copies.
  private var ownDisk: Apart<Disk>?
  private var secondDisk: Apart<Disk>?
  fileprivate var present: Apart<Definition>?
  /// The firewall in force; nil where none was ever applied.
  package internal(set) var firewall: Firewall?
  /// The allowance in force; nil where none was ever applied.
  package internal(set) var allowance: NetworkAllowance?
  package var mayMail: Bool? { allowance?.mayMail }
  /// Set from power on to the loss of power. After a shutdown of the guest it stays until `settle`.
  package internal(set) var boot: Boot?
  /// Whether the last boot ended with a shutdown of the guest.
  var endedByGuest: Bool
  package internal(set) var quirks: Set<GuestQuirk>
  /// True for a half that is coming from another host; nil in the records of earlier versions.
  var isArriving: Bool?

  private enum CodingKeys: String, CodingKey {
    case ownDisk = "disk"
    case secondDisk = "rescueDisk"
    case present = "definition"
    case uuid, installation, firewall, allowance, boot, endedByGuest, quirks, isArriving
  }

  package struct Disk: Codable, Sendable, Equatable {
    package let imageName: String
    package let imageVersion: String
    let createdAtMilliseconds: Int64
    package internal(set) var storageGiB: Int
    /// What its users wrote; nil while nobody has.
    package internal(set) var content: String?
    /// crypt(3) of the password that was set last, by account.
    package internal(set) var passwordHashes: [String: String]?

    init(_ rescue: RescueSpecification, at now: Timestamp) {
      imageName = rescue.imageName
      imageVersion = rescue.imageVersion
      createdAtMilliseconds = now.millisecondsSinceEpoch
      storageGiB = rescue.storageGiB
    }

    init(_ specification: MachineSpecification, at now: Timestamp) {
      imageName = specification.imageName
      imageVersion = specification.imageVersion
      createdAtMilliseconds = now.millisecondsSinceEpoch
      storageGiB = specification.storageGiB
    }

    mutating func grow(toGiB sizeGiB: Int) { storageGiB = max(storageGiB, sizeGiB) }
  }

  package struct Definition: Codable, Sendable, Equatable {
    package let label: String
    package let hostname: String
    package let vcpus: Int
    package let memoryMiB: Int
    package let address: String
    /// The addresses beside that one, of both families; nil in the records of earlier versions.
    package let furtherAddresses: [String]?
    package let authorizedKey: String?
    package let rootPasswordHash: String?
    /// Nil in the records of earlier versions.
    package internal(set) var limits: Limits?
    package let userData: String?
    /// Nil for the machine's own system.
    package let rescue: Rescue?

    package struct Rescue: Codable, Sendable, Equatable {
      package let authorizedKey: String?
      package let rootPasswordHash: String?
    }

    init(_ specification: MachineSpecification) {
      label = specification.label
      hostname = specification.hostname.name
      vcpus = specification.vcpus
      memoryMiB = specification.memoryMiB
      address = specification.interface.address.description
      furtherAddresses = Array(SimulatedMachine.addresses(of: specification.interface).dropFirst())
      authorizedKey = specification.authorizedKey
      rootPasswordHash = specification.rootPasswordHash
      limits = Limits(specification.limits)
      userData = specification.userData
      rescue = specification.rescue.map {
        Rescue(authorizedKey: $0.authorizedKey, rootPasswordHash: $0.rootPasswordHash)
      }
    }
  }

  package struct Limits: Codable, Sendable, Equatable {
    let cpuWeight: Int
    let diskIOPS: Int?
    let diskMiBPerSecond: Int?

    package init(_ limits: ResourceLimits) {
      cpuWeight = limits.cpuWeight
      diskIOPS = limits.diskIOPS
      diskMiBPerSecond = limits.diskMiBPerSecond
    }
  }

  package struct Boot: Codable, Sendable, Equatable {
    fileprivate var past: Apart<Definition>
    /// The present hostname of the guest.
    package internal(set) var hostname: String
    /// The present addresses of the guest; nil for those of its definition.
    package internal(set) var addresses: [String]?
    let startedAtMilliseconds: Int64
    /// Nil in the records of earlier versions, where it is 22.
    let sshPort: Int?
    var shutdownRequestedAtMilliseconds: Int64?
    var pausedAtMilliseconds: Int64?

    private enum CodingKeys: String, CodingKey {
      case past = "definition"
      case hostname, addresses, startedAtMilliseconds, sshPort, shutdownRequestedAtMilliseconds, pausedAtMilliseconds
    }
  }

  init(_ uuid: UUID, installation: UUID, quirks: Set<GuestQuirk>) {
    self.uuid = uuid
    self.installation = installation
    endedByGuest = false
    self.quirks = quirks
  }
}

extension SimulatedMachine {
  /// Nil where it was removed, so that a definition makes a new one.
  package internal(set) var disk: Disk? {
    get { ownDisk?.value }
    set { ownDisk = newValue.map { Apart($0) } }
  }

  /// The disk of the rescue system; nil where there is none.
  package internal(set) var rescueDisk: Disk? {
    get { secondDisk?.value }
    set { secondDisk = newValue.map { Apart($0) } }
  }

  /// Nil where only the disk is left.
  package internal(set) var definition: Definition? {
    get { present?.value }
    set { present = newValue.map { Apart($0) } }
  }

  /// Keeps one definition instead of two that are the same.
  mutating func compact() {
    if let present, boot?.past == present { boot?.past = present }
  }
}

extension SimulatedMachine.Boot {
  /// The definition with which the machine was started; a later one does not change it.
  package internal(set) var definition: SimulatedMachine.Definition {
    get { past.value }
    set { past = Apart(newValue) }
  }
}

/// How long a simulated guest takes.
struct GuestDurations: Sendable {
  let boot: Duration
  let shutdown: Duration
}

extension SimulatedMachine {
  func power(at now: Timestamp, _ durations: GuestDurations) -> MachinePower {
    guard present != nil else { return .remnant }
    guard let boot else { return .off(endedByGuest ? .guestShutdown : .other) }
    if boot.pausedAtMilliseconds != nil { return .paused }
    return boot.isOver(at: now, durations) ? .off(.guestShutdown) : .running
  }

  func readiness(at now: Timestamp, _ durations: GuestDurations) -> Readiness {
    guard power(at: now, durations) == .running, let boot, boot.isUp(at: now, durations) else {
      return Readiness(hasSSHBanner: false, hasAgent: false)
    }
    return Readiness(
      hasSSHBanner: !quirks.contains(.sshNeverAnswers), hasAgent: !quirks.contains(.agentNeverAnswers),
      isInstant: quirks.contains(.isInstant))
  }

  /// The addresses of its definition, and of the one with which it was started.
  var addresses: Set<String> {
    let defined = [definition, boot?.definition].compactMap(\.self)
    return Set(defined.flatMap { [$0.address] + ($0.furtherAddresses ?? []) })
  }

  /// All addresses of a network card, the first one of IPv4 before the others.
  static func addresses(of interface: NetworkInterface) -> [String] {
    interface.addresses.map(\.description) + interface.ipv6Networks.map(\.serverAddress)
  }

  /// The port with which it was started; nil while it is off.
  var sshPort: Int? { boot.map { $0.sshPort ?? 22 } }

  /// Whether a rescue system runs in the place of its own.
  package var runsRescue: Bool { boot?.definition.rescue != nil }

  /// The addresses that the guest has; nil while it is off.
  package var guestAddresses: [String]? {
    boot.map { $0.addresses ?? [$0.definition.address] + ($0.definition.furtherAddresses ?? []) }
  }

  /// Records a shutdown that has ended meanwhile.
  mutating func settle(at now: Timestamp, _ durations: GuestDurations) {
    if power(at: now, durations) == .off(.guestShutdown) {
      end(byGuest: true)
    }
  }

  mutating func start(at now: Timestamp, sshPort: Int) throws(DriverError) {
    guard let present else {
      throw DriverError(.notFound, "Machine \(uuid) has a disk, but no definition.")
    }
    guard boot == nil else { return }
    let definition = present.value
    guard disk != nil, definition.rescue == nil || rescueDisk != nil else { throw SimulatedDriver.missingDisk(uuid) }
    boot = Boot(
      past: present, hostname: definition.hostname, startedAtMilliseconds: now.millisecondsSinceEpoch,
      sshPort: sshPort)
    endedByGuest = false
  }

  mutating func requestShutdown(at now: Timestamp) {
    guard let boot, boot.shutdownRequestedAtMilliseconds == nil, !quirks.contains(.ignoresShutdown) else { return }
    self.boot?.shutdownRequestedAtMilliseconds = now.millisecondsSinceEpoch
  }

  /// A machine that is off already keeps the cause it has.
  mutating func end(byGuest: Bool) {
    guard boot != nil else { return }
    boot = nil
    endedByGuest = byGuest
  }
}

extension SimulatedMachine.Boot {
  var startedAt: Timestamp { Timestamp(millisecondsSinceEpoch: startedAtMilliseconds) }

  func isUp(at now: Timestamp, _ durations: GuestDurations) -> Bool {
    shutdownRequestedAtMilliseconds == nil && now.isPast(durations.boot, since: startedAt)
  }

  func isOver(at now: Timestamp, _ durations: GuestDurations) -> Bool {
    guard let requested = shutdownRequestedAtMilliseconds else { return false }
    return now.isPast(durations.shutdown, since: Timestamp(millisecondsSinceEpoch: requested))
  }
}

extension Timestamp {
  fileprivate func isPast(_ duration: Duration, since begin: Timestamp) -> Bool {
    self >= begin + duration || self < begin
  }
}

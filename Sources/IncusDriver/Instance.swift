import Core
import Foundation

/// A container, as the server tells of it.
struct Instance: Decodable, Sendable, Equatable {
  let name: String
  let statusCode: Int
  /// The member that it is on.
  let location: String?
  let config: [String: String]
  let devices: [String: [String: String]]
  // What only a change of the whole has to repeat.
  var architecture: String?
  var description: String?
  var profiles: [String]?

  private enum CodingKeys: String, CodingKey {
    case name, location, config, devices, architecture, description, profiles
    case statusCode = "status_code"
  }

  static let namePrefix = "vps-"

  /// The machine is the name, so that a create that is repeated meets itself.
  static func name(of machine: UUID) -> String { namePrefix + machine.text }

  /// What is to take its place, until it does.
  static func replacementName(of machine: UUID) -> String { "new-" + machine.text }

  subscript(key: MarkKey) -> String? { config[key.rawValue] }
}

/// One of a list. Of those on a member that is away only the name and the member are known.
struct ListedInstance: Decodable, Sendable {
  /// Nil where its member is away.
  let whole: Instance?
  let name: String
  private let statusCode: Int
  private let location: String?

  private enum CodingKeys: String, CodingKey {
    case name, location, config
    case statusCode = "status_code"
  }

  init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: CodingKeys.self)
    name = try container.decode(String.self, forKey: .name)
    statusCode = try container.decode(Int.self, forKey: .statusCode)
    location = try container.decodeIfPresent(String.self, forKey: .location)
    let isAway = try container.decodeIfPresent([String: String].self, forKey: .config) == nil
    whole = isAway ? nil : try Instance(from: decoder)
  }

  /// With what was known of it when its member was there.
  func filled(from known: Instance?) -> Instance {
    whole
      ?? Instance(
        name: name, statusCode: statusCode, location: location, config: known?.config ?? [:],
        devices: known?.devices ?? [:])
  }
}

/// What we write beside an instance: whose it is, and what only we know of it.
enum MarkKey: String, CaseIterable {
  case installation = "user.vpsd.installation"
  case machine = "user.vpsd.machine"
  /// For people who look at the server: `server-12345`.
  case label = "user.vpsd.label"
  /// The member whose host has its server, in a cluster: an operator may have moved it to another one for a while.
  case member = "user.vpsd.member"
  case addresses = "user.vpsd.addresses"
  /// Written once the create is over: one without it is a remnant.
  case isDefined = "user.vpsd.defined"
  /// `on` once it was started, `cut` once its power was taken away.
  case power = "user.vpsd.power"
  /// `absent` while it has none, and may be given none but by a definition or from a copy.
  case disk = "user.vpsd.disk"
}

extension Instance {
  func machine(of installation: UUID) -> UUID? {
    guard self[.installation] == installation.text, let machine = self[.machine].flatMap(UUID.init(uuidString:)),
      name == Instance.name(of: machine)
    else { return nil }
    return machine
  }

  /// The same of what is to take the machine's place.
  func replacedMachine(of installation: UUID) -> UUID? {
    guard self[.installation] == installation.text, let machine = self[.machine].flatMap(UUID.init(uuidString:)),
      name == Instance.replacementName(of: machine)
    else { return nil }
    return machine
  }

  /// That of its name, where nobody tells whose it is, because its member is away and was not seen before.
  var unreadableMachine: UUID? {
    guard config.isEmpty, name.hasPrefix(Self.namePrefix) else { return nil }
    return UUID(uuidString: String(name.dropFirst(Self.namePrefix.count)))
  }

  /// With commas between them, as they were defined.
  var addresses: [IPv4Address] { (self[.addresses] ?? "").split(separator: ",").compactMap { IPv4Address(String($0)) } }

  /// The member whose host is responsible for it: without a mark, the one that Incus has evacuated it from, if any.
  var home: String? { self[.member] ?? config["volatile.evacuate.origin"] ?? location }

  var isDefined: Bool { self[.isDefined] == "true" }
  var hasDisk: Bool { self[.disk] != "absent" }

  /// The status codes of the API.
  var power: MachinePower {
    guard isDefined else { return .remnant }
    switch statusCode {
    // Running, starting, stopping, thawed, ready.
    case 103, 106, 107, 111, 113: return .running
    // Freezing, frozen.
    case 109, 110: return .paused
    case 102: return .off(offCause)
    // Its member is away.
    case 112: return .unreachable
    default: return .unknown
    }
  }

  /// Where the member itself, or what watches the container, went down, the last state that was written is still that it runs. What
  /// the container's own end looks like to the server is the same whether somebody in it shut it down or its init was killed.
  private var offCause: MachinePower.OffCause {
    self[.power] == "on" && config["volatile.last_state.power"] == "STOPPED" ? .guestShutdown : .other
  }

  var isOff: Bool { statusCode == 102 }

  /// Whether the list could tell nothing of it, because its member did not answer.
  var isOutOfReach: Bool { statusCode == 112 }

  /// Whether it was to run, is off, and what was written of it last is that it runs.
  var isEndUnwritten: Bool {
    isOff && isDefined && self[.power] == "on" && config["volatile.last_state.power"] == "RUNNING"
  }
}

/// What is measured of an instance.
struct InstanceState: Decodable, Sendable {
  struct Processor: Decodable, Sendable { let usage: Int64 }
  struct Memory: Decodable, Sendable { let usage: Int64 }
  struct Disk: Decodable, Sendable { let usage: Int64 }
  struct Card: Decodable, Sendable {
    struct Counters: Decodable, Sendable {
      let received: Int64
      let sent: Int64

      private enum CodingKeys: String, CodingKey {
        case received = "bytes_received"
        case sent = "bytes_sent"
      }
    }
    let counters: Counters
  }

  let cpu: Processor
  let memory: Memory
  let disk: [String: Disk]?
  let network: [String: Card]?

  /// What the storage does not measure is said to be 0. The card is that of the guest's own network: of what goes through
  /// ports of the member nobody counts anything.
  var usage: MachineUsage {
    let diskUsed = disk?["root"]?.usage ?? 0
    return MachineUsage(
      cpuNanoseconds: max(0, cpu.usage), memoryUsedMiB: Int(max(0, memory.usage) >> 20),
      diskUsedBytes: diskUsed > 0 ? diskUsed : nil,
      network: network?["eth0"].map {
        NetworkCounters(receivedBytes: $0.counters.received, sentBytes: $0.counters.sent)
      })
  }
}

/// One with what is measured of it; nothing of that where it does not run, or its member does not tell.
struct MeasuredInstance: Decodable, Sendable {
  let name: String
  let config: [String: String]
  let state: InstanceState?
}

package import Core
package import Foundation
import Synchronization

/// A cluster, or a server alone, as the hosts that are its members share it: its lists are read once for all of them, its events come
/// by one connection, and an image is sent once.
package final class IncusCluster: Sendable {
  /// Where several services share it, it reads only.
  let client: IncusClient
  let installation: UUID
  /// Nil where one service has it for itself.
  let certificates: TermCertificates?
  private let ownWork = CopyWork()
  private let held = Mutex<IncusTerm?>(nil)
  let imports = ImageImports()
  let transfers = Transfers()
  let events: EventFeed
  let endings: Endings
  private let instancesReading: SharedReading<[Instance]>
  private let usageReading: SharedReading<[UUID: MachineUsage]>
  /// Nil until the server was asked.
  private let known: Mutex<ServerDialect?>
  private let identified = Mutex<ServerIdentity?>(nil)
  private let sharesDisks = Mutex(false)

  /// - Parameter location: Where several services share it: what it is called by all of them. Then only an `IncusTerm` changes
  ///   anything, and the endpoints have to ask for certificates.
  package convenience init(
    endpoints: IncusEndpoints, project: String, installation: UUID, sharedAs location: String? = nil,
    clock: any WallClock
  ) {
    self.init(
      endpoints: endpoints, project: project, installation: installation, sharedAs: location, clock: clock,
      dialect: nil)
  }

  /// - Parameter dialect: Nil where the server is to be asked.
  init(
    endpoints: IncusEndpoints, project: String, installation: UUID, sharedAs location: String? = nil,
    clock: any WallClock, dialect: ServerDialect?
  ) {
    known = Mutex(dialect)
    let client = IncusClient(endpoints: endpoints, project: project, access: location == nil ? .anything : .reading)
    self.client = client
    certificates = location.map { location in
      TermCertificates(endpoints: endpoints, project: project, owner: "\(installation.text) \(location)", clock: clock)
    }
    self.installation = installation
    events = EventFeed(client: client, clock: clock)
    endings = Endings(clock: clock)
    let last = KnownInstances()
    instancesReading = SharedReading(clock: clock) {
      last.fill(
        try await client.get(
          IncusPath("instances", query: ["recursion": "1"]), as: [ListedInstance].self, within: IncusDeadline.list,
          mostBytes: 64 << 20))
    }
    usageReading = SharedReading(clock: clock) { try await Self.usage(installation, client) }
  }

  var isShared: Bool { certificates != nil }

  /// That of the current task; a task of none acts for the one that this service has.
  private var term: IncusTerm? {
    guard isShared else { return nil }
    if let current = IncusTerm.current, current.cluster === self { return current }
    return held.withLock { $0 }
  }

  /// By which hosts are acted on.
  var acting: IncusClient { term?.client ?? client }

  /// A host of a cluster that does not heed this service is away: what is to be done there waits.
  func requireHeed() throws {
    if let term, !term.hasBegun { throw IncusError.elsewhere }
  }

  /// Several calls of a task that is of no term are made for one.
  func inOneTerm<Value: Sendable>(_ body: @Sendable () async throws -> Value) async throws -> Value {
    try await IncusTerm.$current.withValue(term) { try await body() }
  }

  var work: CopyWork { term?.work ?? ownWork }

  func note(held term: IncusTerm) { held.withLock { $0 = term } }

  func forget(held term: IncusTerm) {
    held.withLock { held in
      if held === term { held = nil }
    }
  }

  /// Everybody's, on every member. While a member has fallen silent and the others wait for it, they are those of the last time
  /// (`isOld`): whoever acts looks at the one again that is meant.
  func instances(
    patience: Duration = IncusDeadline.patience
  ) async throws -> SharedReading<[Instance]>.Answer {
    try await instancesReading.answer(patience: patience)
  }

  /// Asked for once: whoever asks what the server is anyway keeps it up to date.
  func dialect() async throws -> ServerDialect {
    if let dialect = known.withLock({ $0 }) { return dialect }
    return note(try await client.get(IncusPath(), as: ServerFacts.self, within: IncusDeadline.server))
  }

  @discardableResult
  func note(_ facts: ServerFacts) -> ServerDialect {
    let dialect = ServerDialect(extensions: facts.extensions)
    known.withLock { $0 = dialect }
    if let identity = facts.identity { identified.withLock { $0 = identity } }
    return dialect
  }

  /// Whether every member is known to reach all disks.
  var isKnownToShareDisks: Bool { sharesDisks.withLock { $0 } }

  func note(sharesDisks: Bool) { self.sharesDisks.withLock { $0 = sharesDisks } }

  /// Nil until the server was asked.
  var knownIdentity: ServerIdentity? { identified.withLock { $0 } }

  func identity() async throws -> ServerIdentity {
    if let knownIdentity { return knownIdentity }
    let facts = try await client.get(IncusPath(), as: ServerFacts.self, within: IncusDeadline.server)
    note(facts)
    guard let identity = facts.identity else { throw IncusError.unreadable("it does not say which server it is") }
    return identity
  }

  /// Of ours, on every member; nothing where it cannot be had in time.
  func usage() async -> [UUID: MachineUsage] {
    (try? await usageReading.value(within: IncusDeadline.measurement)) ?? [:]
  }

  private static func usage(_ installation: UUID, _ client: IncusClient) async throws -> [UUID: MachineUsage] {
    let filter = "config.\(MarkKey.installation.rawValue) eq \(installation.text)"
    let measured = try await client.get(
      IncusPath("instances", query: ["recursion": "2", "filter": filter]), as: [MeasuredInstance].self,
      within: IncusDeadline.list, mostBytes: 64 << 20)
    var usage: [UUID: MachineUsage] = [:]
    for instance in measured {
      guard let machine = instance.config[MarkKey.machine.rawValue].flatMap(UUID.init(uuidString:)),
        instance.config[MarkKey.installation.rawValue] == installation.text,
        instance.name == Instance.name(of: machine)
      else { continue }
      usage[machine] = instance.state?.usage
    }
    return usage
  }
}

/// The instances of the last list, each as it was when its member was last there.
private final class KnownInstances: Sendable {
  private let byName = Mutex<[String: Instance]>([:])

  func fill(_ listed: [ListedInstance]) -> [Instance] {
    byName.withLock { byName in
      let instances = listed.map { $0.filled(from: byName[$0.name]) }
      byName = Dictionary(instances.map { ($0.name, $0) }) { $1 }
      return instances
    }
  }
}

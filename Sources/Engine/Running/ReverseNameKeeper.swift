package import Core
package import Logging
import Synchronization

/// Sends the names of addresses to DNS servers: changed names soon, and once an hour those that differ there because somebody
/// else has changed them. A location whose DNS server is away delays no other one. What is yet to be sent is in the store, so
/// nothing is lost when the process dies.
package final class ReverseNameKeeper: Sendable {
  private static let interval = Duration.seconds(1)
  private static let mostAtOnce = 250
  private static let mostBatches = 40
  private static let pageSize = 1000
  /// Between tries while a DNS server is away.
  private static let firstPause = Duration.seconds(1)
  private static let longestPause = Duration.seconds(60)
  /// Between tries of a name that was refused.
  private static let firstRetry = Duration.seconds(30)
  private static let longestRetry = Duration.seconds(3600)
  /// A server that has failed so often with a name, which takes a minute, is the operator's to mend: the name counts as refused.
  private static let mostFailures = 6
  private static let betweenLooks = Duration.seconds(3600)
  private static let afterFailedLook = Duration.seconds(300)
  private static let longestReason = 500

  private struct State {
    var underWay: Set<String> = []
    var away: [String: Away] = [:]
    var nextLooks: [String: Instant] = [:]
    var nextSurvey: Instant?
  }

  private struct Away {
    var count: Int
    var until: Instant
  }

  private let store: any ReverseNameStore
  private let namings: ReverseNamings
  private let pools: AddressPools
  private let clock: any WallClock
  private let logger: Logger
  private let state = Mutex(State())

  package init(
    store: any ReverseNameStore, namings: ReverseNamings, pools: AddressPools, clock: any WallClock, logger: Logger
  ) {
    self.store = store
    self.namings = namings
    self.pools = pools
    self.clock = clock
    self.logger = logger
  }

  /// Runs until cancellation.
  package func run() async {
    await withDiscardingTaskGroup { group in
      while !Task.isCancelled {
        for location in await takeDue() { group.addTask { await self.work(at: location) } }
        try? await clock.sleep(for: Self.interval)
      }
    }
  }

  /// Does all that is due.
  package func pollOnce() async {
    for location in await takeDue() { await work(at: location) }
  }

  // MARK: What is due

  private func takeDue() async -> [String] {
    do {
      try await survey()
      let waiting = try await store.locationsAwaitingNames(at: clock.now)
      let now = clock.uptime
      return state.withLock { state in
        let looks = state.nextLooks.filter { $0.value <= now }.map(\.key)
        let due = Set(waiting + looks).filter { location in
          !state.underWay.contains(location) && state.away[location].map { $0.until <= now } ?? true
        }
        state.underWay.formUnion(due)
        return due.sorted()
      }
    } catch {
      if !Task.isCancelled {
        logger.error(
          "the store does not tell which names to say", metadata: ["error": "\(String(reflecting: error))"])
      }
      return []
    }
  }

  /// Finds the locations that have addresses. Rarely, because they seldom change and the query reads all addresses.
  private func survey() async throws {
    let now = clock.uptime
    guard state.withLock({ $0.nextSurvey.map { $0 <= now } ?? true }) else { return }
    let locations = try await store.locationsOfAddresses().filter { namings[$0] != nil }
    state.withLock { state in
      state.nextSurvey = now + Self.afterFailedLook
      for location in locations where state.nextLooks[location] == nil { state.nextLooks[location] = now }
    }
  }

  // MARK: One location

  private func work(at location: String) async {
    defer { state.withLock { _ = $0.underWay.remove(location) } }
    do {
      try await say(at: location)
      if state.withLock({ $0.nextLooks[location].map { $0 <= clock.uptime } ?? false }) {
        // If the comparison fails, the next one comes soon.
        state.withLock { $0.nextLooks[location] = clock.uptime + Self.afterFailedLook }
        try await look(at: location)
        state.withLock { $0.nextLooks[location] = clock.uptime + Self.betweenLooks }
        try await say(at: location)
      }
      noteAnswer(at: location)
    } catch let error as UnreachableNameServer {
      noteAway(location, error)
    } catch {
      if !Task.isCancelled {
        logger.error(
          "names of addresses could not be said",
          metadata: ["location": "\(location)", "error": "\(String(reflecting: error))"])
      }
    }
  }

  private func say(at location: String) async throws {
    // What is due after that is the next call's, so that names that are never taken do not keep the location from being compared.
    for _ in 0..<Self.mostBatches where !Task.isCancelled {
      let changes = try await store.dueNames(at: location, limit: Self.mostAtOnce, at: clock.now)
      guard !changes.isEmpty else { return }
      let troubles = try await say(changes, namings[location])
      try await store.recordSaid(changes.filter { troubles[$0.wanted.address.hostAddress] == nil })
      let untaken = changes.compactMap { change in
        troubles[change.wanted.address.hostAddress].map { self.untaken(change, $0) }
      }
      guard let first = untaken.first else { continue }
      try await store.recordUntaken(untaken, at: clock.now)
      let reason = troubles[first.change.wanted.address.hostAddress]?.reason ?? ""
      logger.warning(
        "names of addresses are not taken, and tried again",
        metadata: [
          "location": "\(location)", "count": "\(untaken.count)",
          "refused": "\(untaken.count { $0.refusal != nil })", "address": "\(first.change.wanted.address)",
          "reason": "\(reason.escaped(atMost: Self.longestReason))",
        ])
    }
  }

  /// Returns the addresses whose names were not taken.
  private func say(_ changes: [NameChange], _ naming: ReverseNaming?) async throws -> [IPAddress: NameTrouble] {
    // The location has no DNS server any more: its changes are dropped as if they had been accepted.
    guard let naming else { return [:] }
    let wanted = Self.byAddress(changes.map(\.wanted))
    return try await naming.zones.say(wanted.mapValues { name(of: $0, naming) })
  }

  /// A network and a server's address may have the same host address, when one was released and the other is in use: that one
  /// wins.
  private static func byAddress(_ names: [AddressName]) -> [IPAddress: AddressName] {
    Dictionary(names.map { ($0.address.hostAddress, $0) }) { $0.isGiven || !$1.isGiven ? $0 : $1 }
  }

  /// The name to send, nil for none. An address without a server has its default name as long as it is in a pool.
  private func name(of wanted: AddressName, _ naming: ReverseNaming) -> Hostname? {
    guard wanted.hasDefault else { return wanted.name }
    return isOurs(wanted) ? naming.name(of: wanted.address.hostAddress, given: wanted.name) : nil
  }

  private func isOurs(_ wanted: AddressName) -> Bool {
    wanted.isGiven || pools[wanted.location].gift(for: wanted.address) == wanted.address
  }

  /// A server that has failed is tried again as one that is away.
  private func untaken(_ change: NameChange, _ trouble: NameTrouble) -> UntakenName {
    let reason = trouble.reason.escaped(atMost: Self.longestReason)
    switch trouble {
    case .refused:
      let pause = Self.pause(Self.firstRetry, after: change.attempts, atMost: Self.longestRetry)
      return UntakenName(change, refusal: reason, nextAt: clock.now + pause)
    case .failed:
      let pause = Self.pause(Self.firstPause, after: change.attempts, atMost: Self.longestPause)
      let refusal = change.attempts < Self.mostFailures ? nil : reason
      return UntakenName(change, refusal: refusal, nextAt: clock.now + pause)
    }
  }

  private static func pause(_ first: Duration, after attempts: Int, atMost longest: Duration) -> Duration {
    min(first * (1 << min(attempts, 10)), longest)
  }

  /// Compares all names with those at the DNS server, and queues the ones that differ.
  private func look(at location: String) async throws {
    guard let naming = namings[location] else { return }
    var wanted: [AddressName] = []
    while true {
      let page = try await store.addressNames(at: location, after: wanted.last, limit: Self.pageSize)
      wanted += page
      if page.count < Self.pageSize { break }
    }
    // An address that has left our pools is no longer ours to name.
    let ours = Self.byAddress(wanted.filter(isOurs))
    let standing = try await naming.zones.names(of: Array(ours.keys))
    let different = ours.values.filter { one in
      guard let names = standing[one.address.hostAddress] else { return false }
      return names != Set([name(of: one, naming)].compactMap { $0?.name })
    }
    let unknown = ours.count - standing.count
    if unknown > 0 {
      logger.warning(
        "the zones of some addresses cannot be compared: the key may not transfer them, or the server does not have them",
        metadata: ["location": "\(location)", "count": "\(unknown)"])
    }
    guard !different.isEmpty else { return }
    try await store.queueNames(of: different.map(\.address), at: clock.now)
    logger.notice(
      "addresses are called otherwise than they should be, and are named anew",
      metadata: ["location": "\(location)", "count": "\(different.count)", "address": "\(different[0].address)"])
  }

  private func noteAnswer(at location: String) {
    let wasAway = state.withLock { $0.away.removeValue(forKey: location) != nil }
    if wasAway { logger.notice("the DNS server answers again", metadata: ["location": "\(location)"]) }
  }

  private func noteAway(_ location: String, _ error: UnreachableNameServer) {
    if Task.isCancelled { return }
    let count = state.withLock { state in
      let count = (state.away[location]?.count ?? 0) + 1
      let pause = Self.pause(Self.firstPause, after: count - 1, atMost: Self.longestPause)
      state.away[location] = Away(count: count, until: clock.uptime + pause)
      return count
    }
    logger.log(
      level: count == 1 ? .warning : .debug, "the DNS server is away; names wait until it answers",
      metadata: [
        "location": "\(location)", "failures": "\(count)",
        "reason": "\(error.reason.escaped(atMost: Self.longestReason))",
      ])
  }
}

package import Core
package import Foundation
package import Logging
import PrivateFiles
import Synchronization

/// The only owner of this host's part in its servers' network: taps, routes and packet filter. All of it can be derived from
/// the servers' folders, and is corrected whenever it differs from them. Everything here blocks.
package final class NetworkReconciler: Sendable {
  /// What has been corrected.
  package struct Repair: Sendable, Equatable {
    package var isFilterLoaded = false
    package var links = 0
    package var others = 0
    /// Whether the desired state itself has changed since the last check.
    package var isOwnChange = false
  }

  private struct State {
    var forwarding = HostForwarding()
    var foreignDrops: [String] = []
    /// Why no server can be reached, as last logged.
    var obstacle: String?
    /// Whether the kernel supports speed limits; nil before it was asked.
    var canLimit: Bool?
  }

  package let settings: HostNetworkSettings
  private let mark: String
  private let links: HostLinks
  private let canLimit: @Sendable () -> Bool?
  let logger: Logger
  /// Held during every change, so that a check of all servers and a change of one do not overlap.
  private let state = Mutex(State())
  /// A lock of its own, so that restoring a removed filter does not wait for a check of links and routes.
  let filter = Mutex(LoadedFilter())
  /// A copy from the last check, so that readers do not wait for the next one.
  private let forwarding: Mutex<HostForwarding>
  /// Servers of several drivers may be in this network.
  private let sources = Mutex<[@Sendable () throws -> [RoutedInterface]]>([])
  /// When a server was applied last; nil where none was.
  private let ownChange = Mutex<ContinuousClock.Instant?>(nil)
  /// Whether somebody keeps it already.
  let isKept = Mutex(false)

  /// - Parameter stateDirectory: The folder in which changed settings of the host are recorded.
  package convenience init(settings: HostNetworkSettings, installation: UUID, stateDirectory: String, logger: Logger) {
    self.init(
      settings: settings, installation: installation, stateDirectory: stateDirectory, logger: logger,
      canLimit: SpeedLimit.isSupported)
  }

  /// - Parameter canLimit: Whether the kernel supports speed limits; nil where that is unknown.
  init(
    settings: HostNetworkSettings, installation: UUID, stateDirectory: String, logger: Logger,
    canLimit: @escaping @Sendable () -> Bool?
  ) {
    self.settings = settings
    self.canLimit = canLimit
    self.logger = logger
    mark = "installation \(installation.text)"
    links = HostLinks(
      settings: settings, controls: SystemControls(recordPath: "\(stateDirectory)/system-controls"))
    var forwarding = HostForwarding()
    forwarding.look(at: settings, inForce: Self.forwardsInForce)
    self.forwarding = Mutex(forwarding)
  }

  /// The ports of this host that are forwarded to a server.
  package func forwarding(to server: IPv4Address) -> PortForwarding.Share? {
    forwarding.withLock { $0.share(of: server) }
  }

  /// From now on these servers belong to the desired state, beside whatever a call names.
  package func include(_ source: @escaping @Sendable () throws -> [RoutedInterface]) {
    sources.withLock { $0.append(source) }
  }

  /// The servers that a call names, and those of all sources.
  private func all(_ interfaces: [RoutedInterface]) throws -> [RoutedInterface] {
    var known = Set(interfaces.map(\.tap))
    return try sources.withLock { $0 }.reduce(into: interfaces) { all, source in
      all += try source().filter { known.insert($0.tap).inserted }
    }
  }

  /// Brings everything into the desired state. The packet filter comes first, so that no tap exists before its rules.
  ///
  /// - Parameter interfaces: What the servers' folders say, read while nobody else changes anything.
  package func reconcile(_ interfaces: () throws -> [RoutedInterface]) throws -> Repair {
    try state.withLock { state in
      lookAtForwarding(&state)
      let interfaces = fitted(try all(try interfaces()), &state)
      var repair = Repair()
      let before = filter.withLock(\.contents)
      if before == nil { try links.requireOwnAddressesAreReserved() }
      // This may come before `apply` of a server that is new.
      for interface in interfaces {
        try forgetFormerConnections(to: interface, after: before?.interfaces[interface.tap])
      }
      let wanted = contents(state, interfaces)
      repair.isFilterLoaded = try filter.withLock { try $0.load(wanted, logger) }
      repair.isOwnChange = wanted != before
      try links.link(interfaces, &repair)
      warnOfForeignDrops(&state)
      warnOfObstacle(&state)
      return repair
    }
  }

  /// Whether this process has loaded the server's rules as they are here. Later changes by others are noticed by `keep`.
  package func isLoaded(_ interface: RoutedInterface) -> Bool {
    state.withLock { loaded(interface.tap) == fitted([interface], &$0)[0] }
  }

  /// Applies one server that is new, or has other addresses or another firewall. Does nothing where nothing has changed.
  ///
  /// - Parameter others: All servers of the host, read only if this process has not loaded the filter yet.
  package func apply(_ interface: RoutedInterface, among others: () throws -> [RoutedInterface]) throws {
    try state.withLock { state in
      noteOwnChange(of: interface)
      defer { noteOwnChange(of: interface) }
      let earlier = loaded(interface.tap)
      if earlier?.addresses != interface.addresses { lookAtForwarding(&state) }
      let interface = fitted([interface], &state)[0]
      try forgetFormerConnections(to: interface, after: earlier)
      if var wanted = filter.withLock(\.contents) {
        if let change = change(of: interface, from: earlier) {
          wanted.interfaces[interface.tap] = interface
          try load(change, to: wanted)
          // A change of the firewall alone needs no other links, and need not wait for reading all links.
          if earlier?.with(filterOf: interface) == interface, HostLinks.exists(interface.tap) { return }
        }
      } else {
        try links.requireOwnAddressesAreReserved()
        let others = fitted(try all(try others()), &state).filter { $0.tap != interface.tap }
        let wanted = contents(state, others + [interface])
        _ = try filter.withLock { try $0.load(wanted, logger) }
      }
      // Where there is no link yet, what the host has of it comes with the link.
      if interface.link == .pair, !HostLinks.exists(interface.tap) { return }
      var repair = Repair()
      try links.link([interface], &repair, all: false)
    }
  }

  /// Removes a server that is gone: its tap first, so that nothing passes once its rules are gone.
  package func remove(_ interface: RoutedInterface) throws {
    try state.withLock { _ in
      try KernelNetwork.apply(HostLinks.exists(interface.tap) ? ["link delete dev \(interface.tap)"] : [])
      if var wanted = filter.withLock(\.contents), let loaded = wanted.interfaces.removeValue(forKey: interface.tap) {
        try load(rules.removal(of: loaded), to: wanted)
      }
    }
  }

  /// Forgets the connections of addresses that are new to their server, before the first packet passes for it. A server whose tap
  /// this process finds keeps its connections.
  private func forgetFormerConnections(to interface: RoutedInterface, after earlier: RoutedInterface?) throws {
    guard earlier != nil || !HostLinks.exists(interface.tap) else { return }
    try ConnectionTracking.forget(interface.destinations.filter { earlier?.destinations.contains($0) != true })
  }

  /// The loaded rules of one server.
  private func loaded(_ tap: String) -> RoutedInterface? { filter.withLock { $0[tap] } }

  private func load(_ change: String, to wanted: LoadedFilter.Contents) throws {
    try filter.withLock { try $0.load(change, to: wanted, logger) }
  }

  /// Each deviation from the desired state, as a sentence or as the command that would correct it. Changes nothing.
  package func problems(_ interfaces: [RoutedInterface]) throws -> [String] {
    let listing = PacketFilter.listing(settings.tables)
    if let other = LoadedFilter.otherOwner(of: listing, mark) { return [other.detail] }
    var problems = [links.obstacle].compactMap { $0 }
    let interfaces = try all(interfaces)
    let hasSpeeds = interfaces.contains { $0.speedMbit != nil }
    let (wanted, taken) = state.withLock { state in
      lookAtForwarding(&state)
      let interfaces = fitted(interfaces, &state)
      return (contents(state, interfaces), state.forwarding.taken)
    }
    if hasSpeeds, !wanted.hasLimits { problems.append(Self.noLimits) }
    if !taken.isEmpty { problems.append(Self.takenPorts(taken)) }
    if listing == nil {
      problems.append("the packet filter of servers is not loaded")
    } else if listing != (try PacketFilter.listing(settings.tables, after: wanted.ruleset.transaction(existing: nil))) {
      problems.append("the packet filter of servers is another than it should be")
    }
    problems += try links.changes(for: Array(wanted.interfaces.values))
    problems += try PacketFilter.foreignDrops().map { "a chain of others drops what it does not know: \($0)" }
    return problems
  }

  /// Links that are named like ours but belong to no server; none unless the packet filter is this installation's.
  package func strayLinks(beside interfaces: [RoutedInterface]) throws -> [String] {
    guard PacketFilter.listing(settings.tables)?.mark == mark else { return [] }
    let interfaces = try all(interfaces)
    let taps = Set(interfaces.map(\.tap))
    let removal = "ip link delete dev "
    return try links.changes(for: interfaces).filter { $0.hasPrefix(removal) }
      .map { String($0.dropFirst(removal.count)) }.filter { !taps.contains($0) }
  }

  package func removeStrayLink(_ name: String, beside interfaces: [RoutedInterface]) throws {
    guard try strayLinks(beside: interfaces).contains(name) else { return }
    try KernelNetwork.apply(["link delete dev \(name)"])
  }

  /// The traffic of each tap since its rules were made.
  package func counters() throws -> [String: NetworkCounters] { try PacketFilter.counters() }

  /// Removes everything of ours, and restores the host's settings that were changed.
  package func remove() throws {
    try state.withLock { state in
      if let other = LoadedFilter.otherOwner(of: PacketFilter.listing(settings.tables), mark) { throw other }
      // From here on the filter guard does not restore it.
      filter.withLock { $0 = LoadedFilter() }
      try links.remove { try PacketFilter.remove(settings.tables) }
      state = State()
    }
  }

  // MARK: - The desired state

  private func contents(_ state: State, _ interfaces: [RoutedInterface]) -> LoadedFilter.Contents {
    var settings = settings
    settings.forwarding = state.forwarding.forwarding
    return LoadedFilter.Contents(settings, mark: mark, hasLimits: state.canLimit ?? true, interfaces)
  }

  var lastOwnChange: ContinuousClock.Instant? { ownChange.withLock { $0 } }

  /// The link of a container is made by others, and what the host has of it is not to wait.
  private func noteOwnChange(of interface: RoutedInterface) {
    if interface.link != .pair { ownChange.withLock { $0 = .now } }
  }

  private static let noLimits =
    "the kernel has no limits of nftables (nft_limit): servers are not held to the speed of their plans"

  /// The interfaces as this host can provide them: with their forwarded ports, and without speeds where it cannot limit them.
  private func fitted(_ interfaces: [RoutedInterface], _ state: inout State) -> [RoutedInterface] {
    if state.canLimit == nil {
      state.canLimit = canLimit()
      if state.canLimit == false { logger.warning("\(Self.noLimits)") }
    }
    return interfaces.map { interface in
      var interface = interface
      if state.canLimit == false { interface.speedMbit = nil }
      interface.forwards = interface.addresses.flatMap { address in
        (state.forwarding.share(of: address)?.ports ?? []).map {
          RoutedInterface.Forward(port: $0.host, address: address, guestPort: $0.guest)
        }
      }
      return interface
    }
  }

  private func lookAtForwarding(_ state: inout State) {
    if settings.forwarding == nil { return }
    let before = state.forwarding
    let loaded = filter.withLock(\.contents)
    state.forwarding.look(at: settings) {
      // The loaded forwards may be those of another process, such as the one before this.
      loaded.map { contents in
        HostForwarding.InForce(
          address: contents.settings.forwarding?.address,
          ports: Set(contents.interfaces.values.flatMap { $0.forwards.map(\.port) }))
      } ?? Self.forwardsInForce()
    }
    forwarding.withLock { $0 = state.forwarding }
    let (old, new) = (before.forwarding?.address, state.forwarding.forwarding?.address)
    if let old, let new, old != new {
      logger.notice("the ports of forward_range are at \(new) now, which were at \(old)")
    }
    let taken = state.forwarding.taken
    if !taken.isEmpty, taken != before.taken { logger.warning("\(Self.takenPorts(taken))") }
  }

  private static func forwardsInForce() -> HostForwarding.InForce {
    guard let listing = PacketFilter.listing(routedTables) else { return HostForwarding.InForce() }
    return HostForwarding.InForce(address: listing.forwardedAddress, ports: listing.forwardedPorts)
  }

  private static let routedTables = ["inet vpsd", "arp vpsd"]

  private static func takenPorts(_ ports: Set<Int>) -> String {
    let some = ports.sorted().prefix(10).map { String($0) }.joined(separator: ", ")
    let rest = ports.count > 10 ? " and \(ports.count - 10) more" : ""
    return "programs of this host listen to ports of forward_range, which lead to no server: \(some)\(rest)"
  }

  private var rules: ServerRules { ServerRules(isBridged: settings.bridge != nil) }

  private func change(of interface: RoutedInterface, from earlier: RoutedInterface?) -> String? {
    guard let earlier else { return rules.addition(of: interface) }
    if earlier == interface { return nil }
    return rules.change(from: earlier, to: interface)
  }

  /// Lists the tables after changes of single servers, while nobody waits for it. Later changes of other tables can then be
  /// told from changes of ours.
  func refreshListing() {
    guard let generation = filter.withLock(\.unlisted), let listing = PacketFilter.listing(settings.tables) else {
      return
    }
    filter.withLock { $0.note(listing, of: generation) }
  }

  private func warnOfForeignDrops(_ state: inout State) {
    guard let drops = try? PacketFilter.foreignDrops(), drops != state.foreignDrops else { return }
    state.foreignDrops = drops
    if drops.isEmpty { return }
    logger.warning(
      """
      another packet filter of this host drops what it does not know, servers' traffic too: the chain \
      \(drops.joined(separator: ", ")). Let \(settings.bridge.map { "the bridge \($0.name)" } ?? "the links \(RoutedInterface.tapPrefix)*") \
      through there, in both directions.
      """)
  }

  private func warnOfObstacle(_ state: inout State) {
    let obstacle = links.obstacle
    if let obstacle, obstacle != state.obstacle { logger.error("\(obstacle)") }
    state.obstacle = obstacle
  }
}

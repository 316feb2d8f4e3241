package import Core
package import Foundation
package import HostPrograms
package import Logging
import PrivateFiles
import Synchronization

/// The one owner of this host's part in its servers' network: taps, routes and packet filter. All of it can be made anew from
/// what the servers' folders say, and is, whenever something is another than it should be. Everything here blocks.
package final class NetworkReconciler: Sendable {
  /// What was not as it should be, and is again.
  package struct Repair: Sendable, Equatable {
    package var isFilterLoaded = false
    package var links = 0
    package var others = 0
    /// Whether it is what the servers' folders say since the last look, and nobody's doing.
    package var isOwnChange = false
  }

  private struct State {
    /// What the packet filter says, by tap; nil before it was loaded by this process.
    var loaded: [String: RoutedInterface]?
    /// The tables as they are with that; nil where they were not looked at since they were changed.
    var listing: Listing?
    /// Of the moment in which they were known to be so.
    var generation: RuleGeneration?
    var foreignDrops: [String] = []
    var hasUplink = true
    /// Whether the kernel can hold servers to a speed; nil before anybody asked.
    var canLimit: Bool?
  }

  package let settings: HostNetworkSettings
  private let mark: String
  private let controls: SystemControls
  private let canLimit: @Sendable () -> Bool?
  private let logger: Logger
  private let state = Mutex(State())

  /// - Parameter stateDirectory: Where it is written down what was changed of the host's own settings.
  package convenience init(settings: HostNetworkSettings, installation: UUID, stateDirectory: String, logger: Logger) {
    self.init(
      settings: settings, installation: installation, stateDirectory: stateDirectory, logger: logger,
      canLimit: SpeedLimit.isSupported)
  }

  /// - Parameter canLimit: Whether the kernel can hold servers to a speed; nil where nobody knows.
  init(
    settings: HostNetworkSettings, installation: UUID, stateDirectory: String, logger: Logger,
    canLimit: @escaping @Sendable () -> Bool?
  ) {
    self.settings = settings
    self.canLimit = canLimit
    self.logger = logger
    mark = "installation \(installation.uuidString.lowercased())"
    controls = SystemControls(recordPath: "\(stateDirectory)/system-controls")
  }

  /// Makes all of it what it should be. The packet filter comes first: no tap is there before its rules are.
  ///
  /// - Parameter interfaces: What the servers' folders say, read while nobody else changes anything.
  package func reconcile(_ interfaces: () throws -> [RoutedInterface]) throws -> Repair {
    try state.withLock { state in
      let interfaces = fitted(try interfaces(), &state)
      var repair = Repair()
      let loaded = state.loaded
      repair.isFilterLoaded = try filter(&state, interfaces)
      repair.isOwnChange = state.loaded != loaded
      try link(interfaces, &repair)
      warnOfForeignDrops(&state)
      warnOfMissingUplink(&state)
      return repair
    }
  }

  /// Whether this process has brought the server's rules into force, as they are here. What others do to them since is seen by
  /// whoever keeps the network.
  package func isLoaded(_ interface: RoutedInterface) -> Bool {
    state.withLock { $0.loaded?[interface.tap] == fitted([interface], &$0)[0] }
  }

  /// One server that is new, or has other addresses or another firewall. Nothing is done where nothing has changed.
  ///
  /// - Parameter others: All servers of the host, which are asked for where this process has not loaded the filter yet.
  package func apply(_ interface: RoutedInterface, among others: () throws -> [RoutedInterface]) throws {
    try state.withLock { state in
      let interface = fitted([interface], &state)[0]
      let earlier = state.loaded?[interface.tap]
      // Before the first packet passes that is its new owner's. A server that this process finds keeps its connections.
      if earlier != nil || !Self.exists(interface.tap) {
        try ConnectionTracking.forget(
          interface.destinations.filter { earlier?.destinations.contains($0) != true })
      }
      if state.loaded == nil {
        let others = fitted(try others(), &state).filter { $0.tap != interface.tap }
        _ = try filter(&state, others + [interface])
      } else if let change = Self.change(of: interface, from: earlier) {
        try load(change, &state) { $0[interface.tap] = interface }
        // Another firewall needs no other links, and whoever waits for it does not wait for a look at all servers'.
        if earlier?.with(filterOf: interface) == interface, Self.exists(interface.tap) { return }
      }
      var repair = Repair()
      try link([interface], &repair, all: false)
    }
  }

  /// A server that is gone: its tap first, so that nothing passes once its rules are.
  package func remove(_ interface: RoutedInterface) throws {
    try state.withLock { state in
      try KernelNetwork.apply(Self.exists(interface.tap) ? ["link delete dev \(interface.tap)"] : [])
      if let loaded = state.loaded?[interface.tap] {
        try load(Ruleset.removal(of: loaded), &state) { $0[interface.tap] = nil }
      }
    }
  }

  /// Keeps all of it what it should be until it is to stop: looks at once when something of the host's network has changed, and
  /// every few seconds in any case. Blocks for as long.
  ///
  /// - Parameter interfaces: What the servers' folders say now.
  package func keep(_ interfaces: () throws -> [RoutedInterface], until stop: StopSignal) {
    var events = try? KernelEvents()
    var lastProblem = ""
    var isFirst = true
    while !stop.isSet {
      let begin = ContinuousClock.now
      events?.drain()
      do {
        let repair = try reconcile(interfaces)
        tell(repair, after: ContinuousClock.now - begin, isFirst: isFirst)
        (isFirst, lastProblem) = (false, "")
        refreshListing()
      } catch {
        // Told once, and not with every look.
        if "\(error)" != lastProblem { logger.error("the servers' network is not as it should be: \(error)") }
        lastProblem = "\(error)"
      }
      if events == nil { events = try? KernelEvents() }
      // Whoever changes things all the time does not keep us from everything else.
      rest(atLeast: ContinuousClock.now - begin, events, stop)
    }
  }

  private func rest(atLeast least: Duration, _ events: KernelEvents?, _ stop: StopSignal) {
    let earliest = ContinuousClock.now + min(least, .seconds(1))
    let latest = ContinuousClock.now + Self.interval
    var hasHappened = false
    while !stop.isSet, ContinuousClock.now < latest {
      if hasHappened, ContinuousClock.now >= earliest { return }
      guard let events, !hasHappened else {
        poll(nil, 0, 20)
        continue
      }
      hasHappened = events.wait(within: .milliseconds(200))
    }
  }

  private func tell(_ repair: Repair, after duration: Duration, isFirst: Bool) {
    guard repair.isFilterLoaded || repair.links > 0 || repair.others > 0 else { return }
    let details: Logger.Metadata = [
      "filter": "\(repair.isFilterLoaded ? "loaded" : "as it was")", "links": "\(repair.links)",
      "others": "\(repair.others)", "milliseconds": "\(duration.milliseconds)",
    ]
    if isFirst {
      logger.info("the servers' network is set up", metadata: details)
    } else if repair.isOwnChange {
      logger.debug("the servers' network is up to date", metadata: details)
    } else if repair.isFilterLoaded {
      logger.warning(
        "somebody has changed or removed the packet filter of servers; it is loaded again", metadata: details)
    } else {
      logger.warning("somebody has changed links or routes of servers; they are right again", metadata: details)
    }
  }

  /// Between two looks, where nothing tells of a change.
  private static let interval = Duration.seconds(5)

  /// What is not as it should be, in a sentence each or as the command that would make it right. Changes nothing.
  package func problems(_ interfaces: [RoutedInterface]) throws -> [String] {
    let listing = PacketFilter.listing()
    if let other = otherOwner(listing) { return [other.detail] }
    var problems: [String] = []
    let hasSpeeds = interfaces.contains { $0.speedMbit != nil }
    let (interfaces, hasLimits) = state.withLock { (fitted(interfaces, &$0), $0.canLimit ?? true) }
    if hasSpeeds, !hasLimits { problems.append(Self.noLimits) }
    let ruleset = Ruleset(settings: settings, mark: mark, interfaces: interfaces, hasLimits: hasLimits)
    if listing == nil {
      problems.append("the packet filter of servers is not loaded")
    } else if listing != (try PacketFilter.listing(after: ruleset.transaction(existing: nil))) {
      problems.append("the packet filter of servers is another than it should be")
    }
    let wanted = KernelNetwork.wanted(settings, interfaces, onLink: try onLink(), onLink6: try onLink6())
    let present = try KernelNetwork.read(settings)
    let changes =
      present.linkChanges(to: wanted) + present.changes(to: wanted, uplink: settings.uplink, pools: pools)
    problems += changes.map { "ip \($0)" }
    problems += try PacketFilter.foreignDrops().map { "a chain of others drops what it does not know: \($0)" }
    return problems
  }

  /// What has gone through each tap since its rules were made.
  package func counters() throws -> [String: NetworkCounters] { try PacketFilter.counters() }

  /// Removes all that is ours, and puts back what was changed of the host's settings.
  package func remove() throws {
    try state.withLock { state in
      if let other = otherOwner(PacketFilter.listing()) { throw other }
      let nothing = KernelNetwork()
      // With the links goes all that is on them.
      try KernelNetwork.apply(try KernelNetwork.read(settings).linkChanges(to: nothing, sparesHeld: false))
      let rest = try KernelNetwork.read(settings)
      try KernelNetwork.apply(rest.changes(to: nothing, uplink: settings.uplink, pools: pools))
      try PacketFilter.remove()
      try controls.restore()
      state = State()
    }
  }

  // MARK: - The packet filter

  private static let noLimits =
    "the kernel has no limits of nftables (nft_limit): servers are not held to the speed of their plans"

  /// As they can be here.
  private func fitted(_ interfaces: [RoutedInterface], _ state: inout State) -> [RoutedInterface] {
    if state.canLimit == nil {
      state.canLimit = canLimit()
      if state.canLimit == false { logger.warning("\(Self.noLimits)") }
    }
    return interfaces.map { interface in
      var interface = interface
      if state.canLimit == false { interface.speedMbit = nil }
      interface.forwards = interface.addresses.flatMap { address in
        (settings.forwarding?.share(of: address)?.ports ?? []).map {
          RoutedInterface.Forward(port: $0.host, address: address, guestPort: $0.guest)
        }
      }
      return interface
    }
  }

  /// Returns whether it was loaded anew.
  private func filter(_ state: inout State, _ interfaces: [RoutedInterface]) throws -> Bool {
    if state.loaded == nil { try requireOwnAddressesAreReserved() }
    let wanted = Dictionary(interfaces.map { ($0.tap, $0) }, uniquingKeysWith: { first, _ in first })
    var before = RuleGeneration.current
    if before != nil, before == state.generation, state.loaded == wanted { return false }
    let listing = PacketFilter.listing()
    if let listing, listing == state.listing {
      if state.loaded == wanted {
        state.generation = before == RuleGeneration.current ? before : nil
        return false
      }
    } else if let other = otherOwner(listing) {
      throw other
    }
    let ruleset = Ruleset(
      settings: settings, mark: mark, interfaces: wanted.values.sorted { $0.tap < $1.tap },
      hasLimits: state.canLimit ?? true)
    do {
      try PacketFilter.load(ruleset.transaction(existing: listing))
    } catch {
      // Somebody has put something in our tables that is in the way of what belongs there.
      logger.warning("the packet filter's tables are made anew: \(error)")
      let tables = Ruleset.tables.map { "table \($0) { }\ndelete table \($0)\n" }.joined()
      before = RuleGeneration.current
      try PacketFilter.load(tables + ruleset.transaction(existing: nil))
    }
    state.loaded = wanted
    confirm(after: before, &state, PacketFilter.listing)
    return true
  }

  /// Only what nobody has changed between our transaction and the look at it is what it should be.
  private func confirm(after before: RuleGeneration?, _ state: inout State, _ listing: () -> Listing? = { nil }) {
    let own = before?.next
    let isOwn = own != nil && own == RuleGeneration.current
    let listing = isOwn ? listing() : nil
    let isStill = isOwn && own == RuleGeneration.current
    state.listing = isStill ? listing : nil
    state.generation = isStill ? own : nil
  }

  /// Looks at the tables after changes of single servers, for the day on which somebody changes other tables: they can then be
  /// told from ours. Nobody waits for it.
  func refreshListing() {
    let generation = state.withLock { $0.listing == nil ? $0.generation : nil }
    guard let generation, let listing = PacketFilter.listing() else { return }
    state.withLock { state in
      if state.generation == generation, generation == RuleGeneration.current { state.listing = listing }
    }
  }

  private static func change(of interface: RoutedInterface, from earlier: RoutedInterface?) -> String? {
    guard let earlier else { return Ruleset.addition(of: interface) }
    if earlier == interface { return nil }
    return Ruleset.change(from: earlier, to: interface)
  }

  /// A change of one server, without the rules of the others.
  private func load(
    _ change: String, _ state: inout State, _ note: (inout [String: RoutedInterface]) -> Void
  ) throws {
    var wanted = state.loaded ?? [:]
    note(&wanted)
    // What changes nothing does not count as a transaction.
    if change.isEmpty {
      state.loaded = wanted
      return
    }
    let before = RuleGeneration.current
    if before != nil, before == state.generation, (try? PacketFilter.load(change)) != nil {
      state.loaded = wanted
      confirm(after: before, &state)
    } else {
      // Somebody has changed what this change was to build on.
      _ = try filter(&state, Array(wanted.values))
    }
  }

  private func otherOwner(_ listing: Listing?) -> DriverError? {
    guard let other = listing?.mark, other != mark else { return nil }
    return DriverError(
      .rejected,
      "the network of this host's servers is another vpsd's (\(other)); `vpsd network off` there gives it back")
  }

  private func warnOfForeignDrops(_ state: inout State) {
    guard let drops = try? PacketFilter.foreignDrops(), drops != state.foreignDrops else { return }
    state.foreignDrops = drops
    if drops.isEmpty { return }
    logger.warning(
      """
      another packet filter of this host drops what it does not know, servers' traffic too: the chain \
      \(drops.joined(separator: ", ")). Let the links \(RoutedInterface.tapPrefix)* through there, in both directions.
      """)
  }

  private func warnOfMissingUplink(_ state: inout State) {
    let hasUplink = Self.exists(settings.uplink)
    if state.hasUplink, !hasUplink {
      logger.error(
        "servers reach nobody outside: there is no uplink \(settings.uplink). Once there is one, start the service again."
      )
    }
    state.hasUplink = hasUplink
  }

  // MARK: - Links, addresses, routes

  private func link(_ interfaces: [RoutedInterface], _ repair: inout Repair, all: Bool = true) throws {
    var problem: (any Error)?
    /// One server's trouble is no other's: the rest goes on, and it is told at the end.
    func attempt(_ body: () throws -> Void) {
      do { try body() } catch { problem = problem ?? error }
    }
    let (onLink, onLink6) = (try onLink(), try onLink6())
    let hasIPv6 = !settings.ipv6Pools.isEmpty
    if all {
      attempt {
        repair.others += try controls.set(
          uplink: settings.uplink, hasIPv6: hasIPv6, isProxied: !onLink.isEmpty, isProxied6: !onLink6.isEmpty)
      }
    }
    var wanted = KernelNetwork.wanted(settings, interfaces, onLink: onLink, onLink6: onLink6)
    var present = KernelNetwork()
    if all || interfaces.contains(where: { Self.exists($0.tap) }) { present = try KernelNetwork.read(settings) }
    if !all {
      wanted = wanted.only(interfaces[0].tap, proxies: wanted.proxies)
      present = present.only(interfaces[0].tap, proxies: wanted.proxies)
    }
    let links = present.linkChanges(to: wanted)
    if !links.isEmpty {
      attempt { try KernelNetwork.apply(links) }
      repair.links += links.count
    }
    for interface in interfaces { attempt { repair.others += try SystemControls.set(ofTap: interface.tap) } }
    if !links.isEmpty {
      present = try KernelNetwork.read(settings)
      if !all { present = present.only(interfaces[0].tap, proxies: wanted.proxies) }
    }
    let changes = present.changes(to: wanted, uplink: settings.uplink, pools: pools)
    attempt { try KernelNetwork.apply(changes) }
    repair.others += changes.count
    if let problem { throw problem }
  }

  private var pools: [IPNetwork] { (settings.poolNetworks + settings.poolNetworks6).compactMap { IPNetwork($0) } }

  /// The networks of the uplink's own link that a pool is in: nobody routes it to us, so the host must answer there for its
  /// servers.
  private func onLink() throws -> [ClosedRange<IPv4Address>] {
    if !Self.exists(settings.uplink) { return [] }
    let links: [AddressOutput] = try KernelNetwork.output("-4", "address", "show", "dev", settings.uplink)
    let own = links.flatMap { $0.addrInfo ?? [] }.compactMap { address -> ClosedRange<IPv4Address>? in
      guard let number = address.local.flatMap({ IPv4Address($0) })?.number, let length = address.prefixlen, length < 32
      else { return nil }
      let bits = UInt32.max >> UInt32(length)
      return IPv4Address(number: number & ~bits)...IPv4Address(number: number | bits)
    }
    return own.filter { network in settings.pools.contains { $0.ranges.contains { $0.overlaps(network) } } }
  }

  /// The same of IPv6, for pools of single addresses.
  private func onLink6() throws -> [IPNetwork] {
    let pools = settings.ipv6Pools.filter { !$0.givesNetworks }.compactMap { IPNetwork($0.description) }
    if pools.isEmpty || !Self.exists(settings.uplink) { return [] }
    let routes: [RouteOutput] = try KernelNetwork.output("-6", "route", "show", "dev", settings.uplink)
    return routes.filter { $0.gateway == nil && $0.type ?? "unicast" == "unicast" }.compactMap { IPNetwork($0.dst) }
      .filter { network in pools.contains { $0.contains(network) || network.contains($0) } }
  }

  /// Whoever gives a server the address of the host or of its router takes the host off its network: it is told before anything
  /// is changed.
  private func requireOwnAddressesAreReserved() throws {
    let links: [AddressOutput] = try KernelNetwork.output("-4", "address", "show")
    let routes: [RouteOutput] = try KernelNetwork.output("-4", "route", "show", "default")
    try requireOwnAddressesAreNoServers()
    let own = links.flatMap { $0.addrInfo ?? [] }.compactMap(\.local) + routes.compactMap(\.gateway)
    let gateway = HostNetworkSettings.gateway
    for address in own.compactMap({ IPv4Address($0) }) where address.description != gateway {
      guard settings.pools.contains(where: { $0.contains(address) }) else { continue }
      throw DriverError(
        .rejected, "\(address) is this host's own address or its router's, and in a pool of servers: reserved_addresses"
      )
    }
  }

  private func requireOwnAddressesAreNoServers() throws {
    let pools = settings.ipv6Pools.filter { !$0.givesNetworks }
    if pools.isEmpty { return }
    let links: [AddressOutput] = try KernelNetwork.output("-6", "address", "show")
    let routes: [RouteOutput] = try KernelNetwork.output("-6", "route", "show", "default")
    let own = links.flatMap { $0.addrInfo ?? [] }.compactMap(\.local) + routes.compactMap(\.gateway)
    for address in own.compactMap({ IPv6Network(given: $0) }) where pools.contains(where: { $0.contains(address) }) {
      throw DriverError(
        .rejected,
        "\(address) is this host's own address or its router's, and in address_pool6: take a part of that network in which it "
          + "is not, such as its second half")
    }
  }

  private static func exists(_ tap: String) -> Bool { if_nametoindex(tap) != 0 }
}

extension KernelNetwork {
  /// What is of one server.
  fileprivate func only(_ tap: String, proxies own: Set<String>) -> KernelNetwork {
    var network = KernelNetwork()
    network.proxies = proxies.intersection(own)
    network.links = links.filter { $0.key == tap }
    let isOf = { (text: String) in text.hasSuffix(" dev \(tap)") }
    network.addresses = addresses.filter(isOf)
    network.neighbours = neighbours.filter(isOf)
    network.routes = routes.filter(isOf)
    return network
  }
}

import Core
import Logging

/// What of the packet filter this process has brought into force, and by what it knows that nobody has changed it since.
struct LoadedFilter {
  struct Contents: Equatable {
    /// With the forwarding that there is at the moment.
    var settings: HostNetworkSettings
    let mark: String
    var hasLimits: Bool
    /// By tap.
    var interfaces: [String: RoutedInterface]

    init(_ settings: HostNetworkSettings, mark: String, hasLimits: Bool, _ interfaces: [RoutedInterface]) {
      self.settings = settings
      self.mark = mark
      self.hasLimits = hasLimits
      self.interfaces = Dictionary(interfaces.map { ($0.tap, $0) }, uniquingKeysWith: { first, _ in first })
    }

    var ruleset: Ruleset {
      Ruleset(
        settings: settings, mark: mark, interfaces: interfaces.values.sorted { $0.tap < $1.tap }, hasLimits: hasLimits)
    }
  }

  /// Nil before it was loaded by this process.
  private(set) var contents: Contents?
  /// The tables as they are with that; nil where they were not looked at since they were changed.
  private var listing: Listing?
  /// Of the moment in which they were known to be so.
  private var generation: RuleGeneration?

  /// What is in force of one server.
  subscript(tap: String) -> RoutedInterface? { contents?.interfaces[tap] }

  /// Makes the tables what they should be. Returns whether they were loaded anew.
  mutating func load(_ wanted: Contents, _ logger: Logger) throws -> Bool {
    var before = RuleGeneration.current
    if before != nil, before == generation, contents == wanted { return false }
    let tables = wanted.settings.tables
    let present = PacketFilter.listing(tables)
    if let present, present == listing {
      if contents == wanted {
        generation = before == RuleGeneration.current ? before : nil
        return false
      }
    } else if let other = Self.otherOwner(of: present, wanted.mark) {
      throw other
    }
    let ruleset = wanted.ruleset
    do {
      try PacketFilter.load(ruleset.transaction(existing: present))
    } catch {
      // Somebody has put something in our tables that is in the way of what belongs there.
      logger.warning("the packet filter's tables are made anew: \(error)")
      before = RuleGeneration.current
      try PacketFilter.load(PacketFilter.removal(of: tables) + ruleset.transaction(existing: nil))
    }
    contents = wanted
    confirm(after: before) { PacketFilter.listing(tables) }
    return true
  }

  /// Loads what was in force again where the tables are gone, without a look at what there should be by now. Returns whether
  /// they were.
  mutating func restore() throws -> Bool {
    guard let contents, PacketFilter.isThere(contents.settings.tables) == false else { return false }
    let before = RuleGeneration.current
    try PacketFilter.load(contents.ruleset.transaction(existing: nil))
    confirm(after: before)
    return true
  }

  /// A change of one server, without the rules of the others.
  ///
  /// - Parameter wanted: All of it with that change.
  mutating func load(_ change: String, to wanted: Contents, _ logger: Logger) throws {
    // What changes nothing does not count as a transaction.
    if change.isEmpty {
      contents = wanted
      return
    }
    let before = RuleGeneration.current
    if before != nil, before == generation, (try? PacketFilter.load(change)) != nil {
      contents = wanted
      confirm(after: before)
    } else {
      // Somebody has changed what this change was to build on.
      _ = try load(wanted, logger)
    }
  }

  /// Only what nobody has changed between our transaction and the look at it is what it should be.
  private mutating func confirm(after before: RuleGeneration?, _ look: () -> Listing? = { nil }) {
    let own = before?.next
    let isOwn = own != nil && own == RuleGeneration.current
    let listing = isOwn ? look() : nil
    let isStill = isOwn && own == RuleGeneration.current
    self.listing = isStill ? listing : nil
    generation = isStill ? own : nil
  }

  /// That of tables which are known to be right, and were not looked at since; nil where there is nothing to look at.
  var unlisted: RuleGeneration? { listing == nil ? generation : nil }

  mutating func note(_ listing: Listing, of generation: RuleGeneration) {
    if generation == self.generation, generation == RuleGeneration.current { self.listing = listing }
  }

  /// Why tables that are there are none of ours; nil where they are.
  static func otherOwner(of listing: Listing?, _ mark: String) -> DriverError? {
    guard let other = listing?.mark, other != mark else { return nil }
    return DriverError(
      .rejected,
      "the network of this host's servers is another vpsd's (\(other)); `vpsd network off` there gives it back")
  }
}

import Core
import Logging

/// The packet filter that this process has loaded, and how it knows that nobody has changed it since.
struct LoadedFilter {
  struct Contents: Equatable {
    /// Including the current forwarding.
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

  /// Nil until this process has loaded it.
  private(set) var contents: Contents?
  /// The tables as listed after that; nil if they have not been listed since their last change.
  private var listing: Listing?
  /// The generation at which the tables were known to be right.
  private var generation: RuleGeneration?

  /// The loaded rules of one server.
  subscript(tap: String) -> RoutedInterface? { contents?.interfaces[tap] }

  /// Brings the tables into the desired state. Returns whether they were loaded anew.
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
      // Something that others have put into our tables conflicts with our rules.
      logger.warning("the packet filter's tables are made anew: \(error)")
      before = RuleGeneration.current
      try PacketFilter.load(PacketFilter.removal(of: tables) + ruleset.transaction(existing: nil))
    }
    contents = wanted
    confirm(after: before) { PacketFilter.listing(tables) }
    return true
  }

  /// Loads the last contents again if the tables are gone, without determining the desired state anew. Returns whether they
  /// were gone.
  mutating func restore() throws -> Bool {
    guard let contents, PacketFilter.isThere(contents.settings.tables) == false else { return false }
    let before = RuleGeneration.current
    try PacketFilter.load(contents.ruleset.transaction(existing: nil))
    confirm(after: before)
    return true
  }

  /// Changes the rules of one server, without loading those of the others.
  ///
  /// - Parameter wanted: The whole contents with that change.
  mutating func load(_ change: String, to wanted: Contents, _ logger: Logger) throws {
    // The kernel counts no transaction for an empty change, so `confirm` would fail.
    if change.isEmpty {
      contents = wanted
      return
    }
    let before = RuleGeneration.current
    if before != nil, before == generation, (try? PacketFilter.load(change)) != nil {
      contents = wanted
      confirm(after: before)
    } else {
      // The tables were changed by others, so that the change cannot build on them.
      _ = try load(wanted, logger)
    }
  }

  /// Trusts the tables only if no other transaction came between ours and the look at them.
  private mutating func confirm(after before: RuleGeneration?, _ look: () -> Listing? = { nil }) {
    let own = before?.next
    let isOwn = own != nil && own == RuleGeneration.current
    let listing = isOwn ? look() : nil
    let isStill = isOwn && own == RuleGeneration.current
    self.listing = isStill ? listing : nil
    generation = isStill ? own : nil
  }

  /// The generation of tables that are right but have not been listed since they were loaded; nil where there is nothing to
  /// list.
  var unlisted: RuleGeneration? { listing == nil ? generation : nil }

  mutating func note(_ listing: Listing, of generation: RuleGeneration) {
    if generation == self.generation, generation == RuleGeneration.current { self.listing = listing }
  }

  /// An error if the tables in the kernel are those of another installation; nil if they are ours or do not exist.
  static func otherOwner(of listing: Listing?, _ mark: String) -> DriverError? {
    guard let other = listing?.mark, other != mark else { return nil }
    return DriverError(
      .rejected,
      "the network of this host's servers is another vpsd's (\(other)); `vpsd network off` there gives it back")
  }
}

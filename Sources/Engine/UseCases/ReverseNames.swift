package import Core

/// All that a customer can do with the names of servers' addresses.
package struct ReverseNames: Sendable {
  package static let toRead = Servers.toRead
  package static let toChange = Servers.toChange

  /// How many addresses of its networks, beside its own ones, a server may give names.
  package static let mostInNetworks = 64

  package struct Element: Sendable, Equatable {
    package let address: IPAddress
    /// Nil for no name.
    package let name: Hostname?
    /// Whether the customer has given the name; false for a default.
    package let isGiven: Bool
  }

  /// The name that a customer wants an address to have.
  package struct Draft: Sendable {
    let address: String?
    let name: String?
    let isWhole: Bool

    /// - Parameters:
    ///   - name: Nil for the default.
    ///   - isWhole: Whether all fields could be read from the request.
    package init(address: String?, name: String?, isWhole: Bool = true) {
      self.address = address
      self.name = name
      self.isWhole = isWhole
    }
  }

  private let store: any ReverseNameStore
  private let namings: ReverseNamings
  private let clock: any WallClock
  private let turns = LookupTurns()

  package init(store: any ReverseNameStore, namings: ReverseNamings, clock: any WallClock) {
    self.store = store
    self.namings = namings
    self.clock = clock
  }

  package func areAvailable(at location: String) -> Bool { namings[location] != nil }

  package func list(_ id: ID<Server>, _ caller: Caller) async throws -> [Element] {
    try caller.require(Self.toRead)
    let (named, naming) = try await find(id, caller)
    let own = named.server.visibleAddresses
    let others = named.others.filter { if case .ipv6(let one) = $0 { own.ipv6.contains(one.enclosing) } else { false } }
    return own.all.map { element(of: $0, called: named.names[$0], naming) }
      + others.map { Element(address: $0.hostAddress, name: named.names[$0], isGiven: true) }
  }

  /// Throws `notFound` where the caller has no such server, or its location has no reverse DNS.
  package func requireExists(_ id: ID<Server>, _ caller: Caller) async throws { _ = try await find(id, caller) }

  /// Changes the name in the store; the DNS server is told later.
  package func change(_ id: ID<Server>, _ draft: Draft, _ caller: Caller) async throws -> Element {
    try caller.require(Self.toChange)
    let (named, naming) = try await find(id, caller)
    var errors = FieldErrors()
    let wanted = draft.address.flatMap { $0.isPlain(atMost: 45) ? IPAddress($0) : nil }
    let address = wanted.flatMap { named.address($0) }
    if draft.address != nil, address == nil { errors.add(.address, Self.notItsAddress) }
    let name = draft.name.flatMap { Hostname(ofAddress: $0) }
    if draft.name != nil, name == nil { errors.add(.reverseName, Hostname.ruleOfAddress) }
    try errors.throwIfAny(orUnless: draft.isWhole)
    guard let address else { throw Failure.internalError("A body without errors lacks its address.") }
    if let name, name != named.names[address] {
      try await turns.take(caller.accountID) { try await require(name, toLeadTo: address.hostAddress, naming) }
    }
    guard try await store.setName(name, of: address, of: id, limit: Self.mostInNetworks, by: caller, at: clock.now)
    else { throw Failure.invalid(.address, Self.notItsAddress) }
    return named.server.visibleAddresses.all.contains(address)
      ? element(of: address, called: name, naming)
      : Element(address: address.hostAddress, name: name, isGiven: name != nil)
  }

  private static let notItsAddress = "This is no address of the server."

  private func find(_ id: ID<Server>, _ caller: Caller) async throws -> (NamedServer, ReverseNaming) {
    guard let named = try await store.namedServer(id, of: caller.accountID) else { throw Failure.notFound }
    guard let naming = namings[named.server.location] else {
      throw Failure(.notFound, "Reverse DNS is not available at \(named.server.location).")
    }
    return (named, naming)
  }

  private func element(of address: ServerAddress, called name: Hostname?, _ naming: ReverseNaming) -> Element {
    Element(
      address: address.hostAddress, name: naming.name(of: address.hostAddress, given: name), isGiven: name != nil)
  }

  private func require(_ name: Hostname, toLeadTo address: IPAddress, _ naming: ReverseNaming) async throws {
    guard let lookup = naming.lookup else { return }
    let leads: Bool
    do {
      leads = try await lookup.leads(name, to: address)
    } catch let error as UnreachableNameServer {
      throw Failure(
        .unavailable(retryAfterSeconds: 10), "It cannot be learnt now where the name leads.",
        privateDetail: error.reason)
    }
    guard leads else {
      throw Failure.invalid(
        .reverseName,
        "The name must lead back to \(address): give it that \(address.isIPv4 ? "A" : "AAAA") record first.")
    }
  }
}

package import Core

extension Servers {
  /// Another location as a customer asks for it.
  package struct MoveDraft: Sendable {
    /// Its code.
    package var location: String?
    /// Whether all fields could be read from the request. A field that could not be read is nil.
    package var isWhole: Bool

    package init(location: String?, isWhole: Bool = true) {
      self.location = location
      self.isWhole = isWhole
    }
  }

  /// Moves the server to a host of another location, with its disk and its copies. One that is active is shut down for it, and
  /// comes back there, at new addresses.
  package func move(_ id: ID<Server>, _ draft: MoveDraft, _ caller: Caller) async throws -> RequestedOperation {
    try caller.require(Self.toChange)
    guard let server = try await store.server(id, of: caller.accountID) else { throw Failure.notFound }
    let catalogue = try await catalogueReader.catalogue()
    var errors = FieldErrors()
    var receivers: Set<ID<Host>> = []
    if let code = draft.location {
      receivers = fleet.receivers(ofMachinesOn: server.hostID, at: code)
      if let trouble = trouble(in: catalogue, moving: server, to: code, receivers) { errors.add(.location, trouble) }
    }
    try errors.throwIfAny(orUnless: draft.isWhole)
    guard let code = draft.location else { throw Failure.internalError("A draft without errors lacks its location.") }
    let requested = try await store.requestMove(
      of: id, MoveOrder(from: server.hostID, to: code, receivers: receivers), pools: addressPools[code], by: caller,
      at: clock.now)
    // The new host begins.
    fleet.ring()
    return try announce(requested)
  }

  /// The locations to which the server can be moved as far as its plan, its system and the kinds of hosts go.
  package func destinations(of server: Server, in catalogue: Catalogue) -> [Location] {
    catalogue.locations.filter { location in
      let receivers = fleet.receivers(ofMachinesOn: server.hostID, at: location.code)
      return trouble(in: catalogue, moving: server, to: location.code, receivers) == nil
    }
  }

  private func trouble(
    in catalogue: Catalogue, moving server: Server, to code: String, _ receivers: Set<ID<Host>>
  ) -> String? {
    guard let location = catalogue.location(code: code), location.isActive else {
      return "\(code.quoted) is not a valid choice."
    }
    if code == server.location { return "The server is at \(code) already." }
    if receivers.isEmpty { return "Servers at \(server.location) cannot be moved to \(code)." }
    guard let plan = catalogue.plan(server.planID), plan.isAvailable, plan.locations.contains(code) else {
      return "The server's plan is not available at \(code)."
    }
    guard catalogue.operatingSystem(server.operatingSystemID)?.isAvailable == true else {
      return "The server's operating system is not available at \(code)."
    }
    return nil
  }
}

extension Fleet {
  /// The hosts of the location that receive machines of this host; none where the location has no host of its own.
  func receivers(ofMachinesOn id: ID<Host>, at location: String) -> Set<ID<Host>> {
    guard let source = self[id] else { return [] }
    let fit = hosts.filter { host in
      host.id != id && host.location == location
        && (host.driver as? any MachineReceiver)?.canReceive(from: source.driver) == true
    }
    return Set(fit.map(\.id))
  }
}

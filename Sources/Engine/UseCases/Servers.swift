package import Core
import Foundation

/// All that a customer can do with servers. The API, the panel and the tests enter here.
package struct Servers: Sendable {
  package static let toRead = Permission(.servers, .read)
  package static let toChange = Permission(.servers, .write)

  /// A server together with what its ids name.
  package struct View: Sendable {
    package let server: Server
    package let plan: Plan
    package let operatingSystem: OperatingSystem
    package let location: Location
    /// The port of the server's address that leads to its sshd.
    package let sshPort: Int
    /// The ports of its host that are forwarded to the server, and the host's address; nil where its own address can be
    /// reached.
    package let forwarding: PortForwarding.Share?
    /// Why the server failed, may not be in the state that it shows, or needs attention; nil where there is nothing to say.
    package let statusReason: String?
  }

  package struct Created: Sendable {
    package let view: View
    /// The root password of a server without an SSH key: shown this once, and kept nowhere.
    package let rootPassword: String?

    package func showing(_ view: View) -> Created { Created(view: view, rootPassword: rootPassword) }
  }

  /// How often those who wait read the store where no change was announced: other processes write to it, too.
  static let longestSilence = Duration.seconds(1)

  let store: any ServerStore & SSHKeyStore & PasswordResetStore
  let catalogueReader: CatalogueReader
  let fleet: Fleet
  let addressPools: AddressPools
  let changes: Broadcast
  let clock: any WallClock
  let key: InstallationKey
  let passwordResets = PasswordResets()
  private let quota: Int?

  /// - Parameter quota: How many servers an account may have; nil for as many as it likes.
  package init(
    store: any ServerStore & SSHKeyStore & PasswordResetStore, catalogueReader: CatalogueReader, fleet: Fleet,
    addressPools: AddressPools,
    changes: Broadcast, clock: any WallClock, key: InstallationKey, quota: Int? = nil
  ) {
    self.store = store
    self.catalogueReader = catalogueReader
    self.fleet = fleet
    self.addressPools = addressPools
    self.changes = changes
    self.clock = clock
    self.key = key
    self.quota = quota
  }

  package func list(
    _ filter: ServerFilter, order: [ListOrder<ServerKey>] = [], page: PageRequest = .first, _ caller: Caller
  ) async throws -> Page<View> {
    try caller.require(Self.toRead)
    let catalogue = try await catalogueReader.catalogue()
    let servers = try await store.servers(of: caller.accountID, filter: filter, order: order, page: page)
    return try servers.map { try view($0, in: catalogue) }
  }

  /// Throws `notFound` for the uuid of a server that is not the caller's.
  package func id(of reference: Reference<Server>, _ caller: Caller) async throws -> ID<Server> {
    switch reference {
    case .id(let id): return id
    case .uuid(let uuid):
      guard let id = try await store.serverID(uuid, of: caller.accountID) else { throw Failure.notFound }
      return id
    }
  }

  package func read(_ id: ID<Server>, _ caller: Caller) async throws -> (View, ResourceUsage) {
    try caller.require(Self.toRead)
    guard let server = try await store.server(id, of: caller.accountID) else { throw Failure.notFound }
    return try await detail(server)
  }

  package func history(
    of id: ID<Server>, isNewestFirst: Bool, page: PageRequest, _ caller: Caller
  ) async throws -> Page<OperationRecord> {
    try caller.require(Self.toRead)
    let page = try await store.history(of: id, of: caller.accountID, isNewestFirst: isNewestFirst, page: page)
    guard let page else { throw Failure.notFound }
    return page
  }

  /// Throws `notFound` where the caller has no such server.
  package func requireExists(_ id: ID<Server>, _ caller: Caller) async throws {
    guard try await store.server(id, of: caller.accountID) != nil else { throw Failure.notFound }
  }

  package func create(_ draft: ServerDraft, _ caller: Caller) async throws -> Created {
    try caller.require(Self.toChange)
    let catalogue = try await catalogueReader.catalogue()
    var errors = FieldErrors()
    let keys = try await find(draft.sshKeys, caller, &errors)
    let order = try draft.validated(against: catalogue, &errors)
    if let system = catalogue.operatingSystem(order.operatingSystemID) {
      try fleet.requireImage(of: system, at: order.location)
    }
    let password = keys.isEmpty ? try RootPassword.random() : nil
    let uuid = UUID.random()
    let new = NewServer(
      uuid: uuid, accountID: caller.accountID, name: order.name, hostname: order.hostname, plan: order.plan,
      operatingSystemID: order.operatingSystemID, location: order.location, isBackupEnabled: order.isBackupEnabled,
      sshKeyIDs: keys, rootPasswordHash: password?.hash, firewall: draft.firewall ?? .disabled,
      labels: draft.labels ?? .none, isDeleteProtected: draft.isDeleteProtected ?? false,
      sealedUserData: try order.userData.map { try key.seal(userData: $0, of: uuid) }, quota: quota)
    let server = try await store.createServer(new, pools: addressPools[order.location], by: caller, at: clock.now)
    ring(server)
    return Created(view: try view(server, in: catalogue), rootPassword: password?.text)
  }

  /// The ids of the keys, each once, in the order in which they were named.
  func find(_ keys: KeyChoice, _ caller: Caller, _ errors: inout FieldErrors) async throws -> [ID<SSHKey>] {
    guard !keys.isEmpty else { return [] }
    let found = try await store.sshKeyIDs(keys.named.map { $0.reference }, of: caller.accountID)
    var ids: [ID<SSHKey>] = []
    for (field, reference) in keys.named {
      guard let id = found[reference] else {
        errors.add(field, ServerFields.unknownKey(reference))
        continue
      }
      if !ids.contains(id) { ids.append(id) }
    }
    return ids
  }

  /// - Parameter tags: Change the server only if its tag is one of these; nil for no condition.
  package func update(
    _ id: ID<Server>, _ change: ServerChange, ifTagged tags: [String]? = nil, _ caller: Caller
  ) async throws -> (View, ResourceUsage) {
    try caller.require(Self.toChange)
    var change = change
    change.expected = try await expected(id, ifTagged: tags, caller)
    guard let server = try await store.updateServer(id, change, by: caller, at: clock.now) else {
      throw Failure.notFound
    }
    ring(server)
    return try await detail(server)
  }

  /// An entity tag, which changes whenever a field does that a customer can change, and with nothing else.
  package static func tag(of server: Server) -> String {
    var fields = "\(server.id)\n\(server.name)\n\(server.hostname)\n\(server.isBackupEnabled)"
    if server.isDeleteProtected { fields += "\nprotected" }
    for (key, value) in server.labels.sorted { fields += "\n\(key)=\(value)" }
    return String(SHA256.hexadecimal(Array(fields.utf8)).prefix(32))
  }

  /// - Parameter tags: Delete the server only if its tag is one of these; nil for no condition.
  package func delete(_ id: ID<Server>, ifTagged tags: [String]? = nil, _ caller: Caller) async throws {
    try caller.require(Self.toChange)
    let expected = try await expected(id, ifTagged: tags, caller)
    guard let host = try await store.requestDeletion(of: id, expecting: expected, by: caller, at: clock.now) else {
      throw Failure.notFound
    }
    fleet.ring(host)
    changes.tell(id)
  }

  /// The fields that the store must find unchanged; nil for no condition. Throws `changedMeanwhile` where no tag fits.
  private func expected(
    _ id: ID<Server>, ifTagged tags: [String]?, _ caller: Caller
  ) async throws -> Server.Writable? {
    guard let tags else { return nil }
    guard let server = try await store.server(id, of: caller.accountID) else { throw Failure.notFound }
    guard tags.contains(Self.tag(of: server)) else { throw Failure.changedMeanwhile }
    return server.writable
  }

  package func perform(_ action: PowerAction, on id: ID<Server>, _ caller: Caller) async throws -> Server {
    try caller.require(Self.toChange)
    guard let server = try await store.requestAction(action, on: id, by: caller, at: clock.now) else {
      throw Failure.notFound
    }
    ring(server)
    return server
  }

  /// As `settled(_:within:_:)` of a view.
  package func settled(_ server: Server, within limit: Duration, _ caller: Caller) async throws -> Server {
    let view = try self.view(server, in: try await catalogueReader.catalogue())
    return try await settled(view, within: limit, caller).server
  }

  /// Waits until the server's status is not transitional any more, the time is up or the service ends. Returns the newest
  /// state; that of a server deleted meanwhile is the last one before its deletion.
  package func settled(_ view: View, within limit: Duration, _ caller: Caller) async throws -> View {
    let deadline = clock.uptime + limit
    let catalogue = try await catalogueReader.catalogue()
    return try await changes.listen(to: view.server.id) { bell in
      var newest = view
      while !Task.isCancelled {
        guard let server = try await store.server(view.server.id, of: caller.accountID) else { break }
        newest = try self.view(server, in: catalogue)
        guard server.status.isTransitional, clock.uptime < deadline, !changes.isOver else { break }
        await bell.wait(until: min(deadline, clock.uptime + Self.longestSilence), clock: clock)
      }
      return newest
    }
  }

  /// Wakes the runner of its host, and everybody who waits for this server.
  func ring(_ server: Server) {
    fleet.ring(server.hostID)
    changes.tell(server.id)
  }

  private func detail(_ server: Server) async throws -> (View, ResourceUsage) {
    let view = try view(server, in: try await catalogueReader.catalogue())
    return (view, try await store.usage(of: server.id) ?? .none)
  }

  /// What is wrong with a server that is active all the same; nil where nothing is.
  private static func warning(of server: Server) -> String? {
    guard let trouble = server.userDataTrouble, server.status == .active, !server.isInRescue else { return nil }
    return switch trouble {
    case .failed: "Its user data failed at the first boot: see /var/log/cloud-init-output.log on it."
    case .unknown:
      "What became of its user data is not known: it did not say so in time. See /var/log/cloud-init-output.log on it."
    }
  }

  func view(_ server: Server, in catalogue: Catalogue) throws(Failure) -> View {
    guard let plan = catalogue.plan(server.planID),
      let operatingSystem = catalogue.operatingSystem(server.operatingSystemID),
      let location = catalogue.location(code: server.location)
    else { throw .internalError("Server \(server.id) names something that is not in the catalogue.") }
    let forwarding = fleet.forwarding(to: server)
    return View(
      server: server, plan: plan, operatingSystem: operatingSystem, location: location,
      sshPort: sshPort(of: server, forwarding), forwarding: forwarding,
      statusReason: statusReason(of: server, operatingSystem))
  }

  /// Views that are made from now on depend on nothing that the store said before.
  package func forgetCatalogue() { catalogueReader.forget() }

  /// Whether the hosts still are as these views tell. What the store says is not asked again.
  package func areStill(_ views: [View]) -> Bool {
    views.allSatisfy { view in
      let forwarding = fleet.forwarding(to: view.server)
      return view.forwarding == forwarding && view.sshPort == sshPort(of: view.server, forwarding)
        && view.statusReason == statusReason(of: view.server, view.operatingSystem)
    }
  }

  private func sshPort(of server: Server, _ forwarding: PortForwarding.Share?) -> Int {
    forwarding?.sshPort ?? fleet.sshPort(of: server)
  }

  private func statusReason(of server: Server, _ system: OperatingSystem) -> String? {
    server.statusReason ?? fleet.reason(for: server) ?? fleet.fetch(for: server, of: system)
      ?? Self.warning(of: server)
  }
}

package import Core
import Foundation

/// All that a customer can do with servers. The API, the panel and the tests enter here.
package struct Servers: Sendable {
  /// The fields of the create body in the order of the API's documentation.
  package static let fieldOrder = [
    "name", "plan_id", "os_id", "location", "hostname", "ssh_key_id", "backups_enabled",
  ]

  /// A server together with what its ids name.
  package struct View: Sendable {
    package let server: Server
    package let plan: Plan
    package let operatingSystem: OperatingSystem
    package let location: Location
  }

  package struct Created: Sendable {
    package let view: View
    /// The root password of a server without an SSH key: shown this once, and kept nowhere.
    package let rootPassword: String?
  }

  private let store: any Store
  private let catalogueReader: CatalogueReader
  private let driver: any ComputeDriver
  private let addressPool: AddressPool
  private let doorbell: Doorbell
  private let clock: any WallClock
  private let quota: Int?

  /// - Parameter quota: How many servers an account may have; nil for as many as it likes.
  package init(
    store: any Store, catalogueReader: CatalogueReader, driver: any ComputeDriver, addressPool: AddressPool,
    doorbell: Doorbell, clock: any WallClock, quota: Int? = nil
  ) {
    self.store = store
    self.catalogueReader = catalogueReader
    self.driver = driver
    self.addressPool = addressPool
    self.doorbell = doorbell
    self.clock = clock
    self.quota = quota
  }

  package func list(_ filter: ServerFilter, _ caller: Caller) async throws -> [View] {
    try caller.require(.servers, .read)
    let catalogue = try await catalogueReader.catalogue()
    return try await store.servers(of: caller.accountID, filter: filter).map { try Self.view($0, in: catalogue) }
  }

  package func read(_ id: ID<Server>, _ caller: Caller) async throws -> (View, ResourceUsage) {
    try caller.require(.servers, .read)
    guard let server = try await store.server(id, of: caller.accountID) else { throw Failure.notFound }
    return try await detail(server)
  }

  /// Throws `notFound` where the caller has no such server.
  package func requireExists(_ id: ID<Server>, _ caller: Caller) async throws {
    guard try await store.server(id, of: caller.accountID) != nil else { throw Failure.notFound }
  }

  package func create(_ draft: ServerDraft, _ caller: Caller) async throws -> Created {
    try caller.require(.servers, .write)
    let catalogue = try await catalogueReader.catalogue()
    var draft = draft
    if let id = draft.sshKeyID, try await store.sshKey(ID(id), of: caller.accountID) == nil {
      draft.errors.add("ssh_key_id", ServerFields.unknownKey(id))
    }
    let order = try draft.validated(against: catalogue)
    let password = order.sshKeyID == nil ? try RootPassword.random() : nil
    let new = NewServer(
      uuid: UUID(), accountID: caller.accountID, name: order.name, hostname: order.hostname, plan: order.plan,
      operatingSystemID: order.operatingSystemID, location: order.location, isBackupEnabled: order.isBackupEnabled,
      sshKeyID: order.sshKeyID, rootPasswordHash: password?.hash, quota: quota)
    let server = try await store.createServer(
      new, pool: addressPool, capacity: try await driver.capacity(), by: caller, at: clock.now)
    doorbell.ring()
    return Created(view: try Self.view(server, in: catalogue), rootPassword: password?.text)
  }

  package func update(_ id: ID<Server>, _ change: ServerChange, _ caller: Caller) async throws
    -> (View, ResourceUsage)
  {
    try caller.require(.servers, .write)
    guard let server = try await store.updateServer(id, change, by: caller, at: clock.now) else {
      throw Failure.notFound
    }
    doorbell.ring()
    return try await detail(server)
  }

  package func delete(_ id: ID<Server>, _ caller: Caller) async throws {
    try caller.require(.servers, .write)
    guard try await store.requestDeletion(of: id, by: caller, at: clock.now) else { throw Failure.notFound }
    doorbell.ring()
  }

  package func perform(_ action: PowerAction, on id: ID<Server>, _ caller: Caller) async throws -> Server {
    try caller.require(.servers, .write)
    guard let server = try await store.requestAction(action, on: id, by: caller, at: clock.now) else {
      throw Failure.notFound
    }
    doorbell.ring()
    return server
  }

  private func detail(_ server: Server) async throws -> (View, ResourceUsage) {
    let view = try Self.view(server, in: try await catalogueReader.catalogue())
    return (view, try await store.usage(of: server.id) ?? .none)
  }

  private static func view(_ server: Server, in catalogue: Catalogue) throws(Failure) -> View {
    guard let plan = catalogue.plan(server.planID),
      let operatingSystem = catalogue.operatingSystem(server.operatingSystemID),
      let location = catalogue.location(code: server.location)
    else { throw .internalError("Server \(server.id) names something that is not in the catalogue.") }
    return View(server: server, plan: plan, operatingSystem: operatingSystem, location: location)
  }
}

package import Core

extension Servers {
  /// Another plan as a customer asks for it.
  package struct ResizeDraft: Sendable {
    package var plan: Reference<Plan>?
    /// Whether all fields could be read from the request. A field that could not be read is nil.
    package var isWhole: Bool

    package init(plan: Reference<Plan>?, isWhole: Bool = true) {
      self.plan = plan
      self.isWhole = isWhole
    }
  }

  /// Gives the server another plan. One that is active is shut down for it, and comes back.
  package func resize(_ id: ID<Server>, _ draft: ResizeDraft, _ caller: Caller) async throws -> RequestedOperation {
    try caller.require(Self.toChange)
    guard try await store.server(id, of: caller.accountID) != nil else { throw Failure.notFound }
    let catalogue = try await catalogueReader.catalogue()
    var errors = FieldErrors()
    let plan = draft.plan.flatMap { catalogue.plan($0) }
    if let reference = draft.plan, plan?.isAvailable != true {
      errors.add(.plan, ServerFields.unknownKey(reference))
    }
    try errors.throwIfAny(orUnless: draft.isWhole)
    guard let plan else { throw Failure.internalError("A draft without errors lacks its plan.") }
    let requested = try await store.requestResize(
      of: id, to: plan, by: caller, at: clock.now)
    return try announce(requested)
  }

  /// A rebuild as a customer asks for it. A field that is left out stays as it is.
  package struct RebuildDraft: Sendable {
    package var operatingSystem: Reference<OperatingSystem>?
    package var sshKeys = KeyChoice()
    /// Nil to keep the user data, empty for none.
    package var userData: String?
    /// Whether all fields could be read from the request.
    package var isWhole = true

    package init() {}
  }

  package struct RequestedRebuild: Sendable {
    package let requested: RequestedOperation
    /// The root password of a server without an SSH key: shown this once, and kept nowhere.
    package let rootPassword: String?
  }

  /// Gives the server a new disk with an operating system. The server is active afterwards, even if it was stopped.
  package func rebuild(_ id: ID<Server>, _ draft: RebuildDraft, _ caller: Caller) async throws -> RequestedRebuild {
    try caller.require(Self.toChange)
    guard let server = try await store.server(id, of: caller.accountID) else { throw Failure.notFound }
    let catalogue = try await catalogueReader.catalogue()
    var errors = FieldErrors()
    var operatingSystemID = server.operatingSystemID
    if let reference = draft.operatingSystem {
      if let system = catalogue.operatingSystem(reference), system.isAvailable {
        operatingSystemID = system.id
      } else {
        errors.add(.operatingSystem, ServerFields.unknownKey(reference))
      }
    }
    let keys = try await find(draft.sshKeys, caller, &errors)
    let userData = ServerFields.userData(draft.userData, &errors)
    try errors.throwIfAny(orUnless: draft.isWhole)
    if let system = catalogue.operatingSystem(operatingSystemID) {
      try fleet.requireImage(of: system, on: server.hostID)
    }
    let hasKey = !keys.isEmpty || server.machine.authorizedKey != nil
    let password = hasKey ? nil : try RootPassword.random()
    let system = NewSystem(
      operatingSystemID: operatingSystemID, sshKeyIDs: keys, rootPasswordHash: password?.hash,
      userData: try userData.map { .sealed(try key.seal(userData: $0, of: server.uuid)) }
        ?? (draft.userData == nil ? .same : .none))
    let requested = try await store.requestRebuild(of: id, with: system, by: caller, at: clock.now)
    return RequestedRebuild(requested: try announce(requested), rootPassword: password?.text)
  }

  /// Wakes the runner and listeners. Throws `notFound` for nil, where there was no such server.
  func announce(_ requested: RequestedOperation?) throws -> RequestedOperation {
    guard let requested else { throw Failure.notFound }
    ring(requested.server)
    return requested
  }

  /// Waits until the operation is over, the time is up or the service ends. Returns the newest operation and server; if the
  /// server is deleted meanwhile, those from before its deletion.
  package func finished(
    _ requested: RequestedOperation, within limit: Duration, _ caller: Caller
  ) async throws -> RequestedOperation {
    let id = requested.server.id
    let deadline = clock.uptime + limit
    return try await changes.listen(to: id) { bell in
      var newest = requested
      while !Task.isCancelled {
        guard let server = try await store.server(id, of: caller.accountID),
          let operation = try await store.operation(requested.operation.id)
        else { break }
        newest = RequestedOperation(server: server, operation: operation)
        guard operation.finishedAt == nil || server.status.isTransitional, clock.uptime < deadline, !changes.isOver
        else {
          break
        }
        await bell.wait(until: min(deadline, clock.uptime + Self.longestSilence), clock: clock)
      }
      return newest
    }
  }
}

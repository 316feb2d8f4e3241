import APIClient

extension Session {
  static let changing: Set<String> = ["provisioning", "starting", "stopping", "rebooting"]

  /// Returns the server once its status is not transitional.
  func settled(_ id: Int, within limit: Duration) async throws -> JSON {
    try await client.wait(atMost: limit, after: { $0.data[path: "server.id"]?.int == id }) {
      let server = try await get("/servers/\(id)/")
      return Self.changing.contains(server["status"]?.string ?? "") ? nil : server
    }
  }

  /// The server's latest operation of these kinds, once it has ended; nil where there is none.
  func finishedOperation(
    _ kinds: Set<String>, of server: Int, within limit: Duration
  ) async throws -> JSON? {
    let newest = try await get("/servers/\(server)/operations/", query: [("ordering", "-id"), ("page_size", "20")])
    guard let operation = newest["results"]?.array?.first(where: { kinds.contains($0["kind"]?.string ?? "") }),
      let id = operation["id"]?.int
    else { return nil }
    if Self.isOver(operation) { return operation }
    // The type must be given: with an optional type, nil would end the wait.
    let finished: JSON = try await client.wait(
      atMost: limit, after: { $0.data[path: "operation.id"]?.int == id }
    ) {
      let page = try await get(
        "/servers/\(server)/operations/", query: [("after", String(id - 1)), ("page_size", "1")])
      return page["results"]?.array?.first { $0["id"]?.int == id && Self.isOver($0) }
    }
    return finished
  }

  private static func isOver(_ operation: JSON) -> Bool {
    !["queued", "running"].contains(operation["status"]?.string ?? "")
  }

  /// A backup or snapshot once it is completed, or has failed.
  func finishedCopy(_ kind: Kind, _ copy: JSON, within limit: Duration) async throws -> JSON {
    guard let id = copy["id"]?.int, copy["status"]?.string == "pending" else { return copy }
    return try await client.wait(atMost: limit, after: { $0.data[path: "operation.subject.id"]?.int == id }) {
      let copy = try await get("\(kind.path)\(id)/")
      return copy["status"]?.string == "pending" ? nil : copy
    }
  }

  /// Returns once the server's sshd sends a greeting.
  func answersLogins(_ server: JSON, deadline: ContinuousClock.Instant) async throws {
    let login = try Login(server)
    // No event tells when the network path is open, so it is tried repeatedly.
    while !login.isAnswered() {
      guard ContinuousClock.now < deadline else { throw WaitTimedOut() }
      try await Task.sleep(for: .seconds(1))
    }
  }
}

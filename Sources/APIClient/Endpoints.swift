import FoundationEssentials

extension APIClient {
  public func servers() async throws -> [Server] {
    try await list("/servers/").map { try Self.decoded($0) }
  }

  public func server(_ id: Int) async throws -> Server {
    try await call("GET", "/servers/\(id)/")
  }

  public func createServer(_ server: CreateServer) async throws -> Server {
    try await call("POST", "/servers/", server)
  }

  public func updateServer(_ id: Int, _ change: UpdateServer) async throws -> Server {
    try await call("PATCH", "/servers/\(id)/", change)
  }

  public func deleteServer(_ id: Int) async throws {
    _ = try await request("DELETE", "/servers/\(id)/")
  }

  /// - Parameter action: `start`, `stop` or `reboot`.
  public func perform(_ action: String, on id: Int) async throws -> ActionReply {
    try await call("POST", "/servers/\(id)/\(action)/")
  }

  public func openConsole(of id: Int) async throws -> Console {
    try await call("POST", "/servers/\(id)/console/")
  }

  public func resize(_ id: Int, planID: Int) async throws -> ActionReply {
    try await call("POST", "/servers/\(id)/resize/", Resize(planId: planID))
  }

  /// - Parameter osID: Nil keeps the server's operating system.
  public func rebuild(_ id: Int, osID: Int? = nil) async throws -> ActionReply {
    try await call("POST", "/servers/\(id)/rebuild/", Rebuild(osId: osID))
  }

  public func createBackup(_ backup: CreateBackup) async throws -> DiskCopy {
    try await call("POST", "/backups/", backup)
  }

  public func createSnapshot(_ snapshot: CreateSnapshot) async throws -> DiskCopy {
    try await call("POST", "/snapshots/", snapshot)
  }

  /// - Parameter collection: `backups` or `snapshots`.
  public func copy(_ id: Int, in collection: String) async throws -> DiskCopy {
    try await call("GET", "/\(collection)/\(id)/")
  }

  public func copies(in collection: String) async throws -> [DiskCopy] {
    try await list("/\(collection)/").map { try Self.decoded($0) }
  }

  public func restore(_ id: Int, from collection: String) async throws -> ActionReply {
    try await call("POST", "/\(collection)/\(id)/restore/")
  }

  public func createSSHKey(_ key: CreateSSHKey) async throws -> SSHKey {
    try await call("POST", "/ssh-keys/", key)
  }

  /// Waits until the server is neither being made nor changing its state: `active`, `stopped`, `suspended` or in
  /// `error`.
  public func settledServer(_ id: Int, within limit: Duration) async throws -> Server {
    try await wait(atMost: limit, after: { $0.data[path: "server.id"]?.int == id }) {
      let server = try await server(id)
      return ["active", "stopped", "suspended", "error"].contains(server.status) ? server : nil
    }
  }

  private func call<Result: Decodable>(
    _ method: String, _ path: String, _ body: (some Encodable)? = nil as String?
  ) async throws -> Result {
    let encoder = JSONEncoder()
    encoder.keyEncodingStrategy = .convertToSnakeCase
    let json = try body.map { try JSON(parsing: encoder.encode($0)) }
    return try Self.decoded(try await request(method, path, body: json).json())
  }

  private static func decoded<Result: Decodable>(_ json: JSON) throws -> Result {
    let decoder = JSONDecoder()
    decoder.keyDecodingStrategy = .convertFromSnakeCase
    do {
      return try decoder.decode(Result.self, from: Data(json.text.utf8))
    } catch {
      throw UnexpectedReply(status: 200, "The answer is not what this version of the client knows: \(error)")
    }
  }
}

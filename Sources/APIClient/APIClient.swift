package import Foundation

#if canImport(FoundationNetworking)
  import FoundationNetworking
#endif

/// A client of the wire. It knows the API's paths and types, and nothing of the service behind them.
package struct APIClient: Sendable {
  package struct Reply: Sendable {
    package let status: Int
    package let body: Data

    package var text: String { String(decoding: body, as: UTF8.self) }
  }

  /// The service answered with something else than what was asked for.
  package struct UnexpectedReply: Error, CustomStringConvertible {
    package let description: String
  }

  private let baseURL: URL
  private let token: String?

  /// - Parameter baseURL: Without the base path: `http://127.0.0.1:8080`.
  package init(baseURL: URL, token: String?) {
    self.baseURL = baseURL
    self.token = token
  }

  /// One request as it is, with whatever status comes back.
  /// - Parameter path: Below the base path, with a final slash: `/servers/1/`.
  package func send(_ method: String, _ path: String, json: Data? = nil) async throws -> Reply {
    guard let url = URL(string: baseURL.absoluteString + "/api/v1" + path) else {
      throw UnexpectedReply(description: "\(path) makes no URL.")
    }
    var request = URLRequest(url: url, timeoutInterval: 30)
    request.httpMethod = method
    if let token { request.setValue("Bearer \(token)", forHTTPHeaderField: "Authorization") }
    request.setValue("application/json", forHTTPHeaderField: "Accept")
    if let json {
      request.setValue("application/json", forHTTPHeaderField: "Content-Type")
      request.httpBody = json
    }
    let (body, response) = try await URLSession.shared.data(for: request)
    return Reply(status: (response as? HTTPURLResponse)?.statusCode ?? 0, body: body)
  }
}

// MARK: - Endpoints

extension APIClient {
  package func servers() async throws -> [Server] {
    let list: List<Server> = try await decode(200, "GET", "/servers/")
    return list.results
  }

  package func server(_ id: Int) async throws -> Server {
    try await decode(200, "GET", "/servers/\(id)/")
  }

  package func createServer(_ server: CreateServer) async throws -> Server {
    try await decode(201, "POST", "/servers/", server)
  }

  package func updateServer(_ id: Int, _ change: UpdateServer) async throws -> Server {
    try await decode(200, "PATCH", "/servers/\(id)/", change)
  }

  package func deleteServer(_ id: Int) async throws {
    let reply = try await send("DELETE", "/servers/\(id)/")
    try expect(204, reply, "DELETE", "/servers/\(id)/")
  }

  /// - Parameter action: `start`, `stop` or `reboot`.
  package func perform(_ action: String, on id: Int) async throws -> ActionReply {
    try await decode(200, "POST", "/servers/\(id)/\(action)/")
  }

  package func openConsole(of id: Int) async throws -> Console {
    try await decode(201, "POST", "/servers/\(id)/console/")
  }

  package func resize(_ id: Int, planID: Int) async throws -> ActionReply {
    try await decode(200, "POST", "/servers/\(id)/resize/", Resize(planId: planID))
  }

  /// - Parameter osID: Nil for the operating system that the server has.
  package func rebuild(_ id: Int, osID: Int? = nil) async throws -> ActionReply {
    try await decode(200, "POST", "/servers/\(id)/rebuild/", Rebuild(osId: osID))
  }

  package func createBackup(_ backup: CreateBackup) async throws -> DiskCopy {
    try await decode(201, "POST", "/backups/", backup)
  }

  package func createSnapshot(_ snapshot: CreateSnapshot) async throws -> DiskCopy {
    try await decode(201, "POST", "/snapshots/", snapshot)
  }

  /// - Parameter collection: `backups` or `snapshots`.
  package func copy(_ id: Int, in collection: String) async throws -> DiskCopy {
    try await decode(200, "GET", "/\(collection)/\(id)/")
  }

  package func copies(in collection: String) async throws -> [DiskCopy] {
    let list: List<DiskCopy> = try await decode(200, "GET", "/\(collection)/")
    return list.results
  }

  package func restore(_ id: Int, from collection: String) async throws -> ActionReply {
    try await decode(200, "POST", "/\(collection)/\(id)/restore/")
  }

  package func createSSHKey(_ key: CreateSSHKey) async throws -> SSHKey {
    try await decode(201, "POST", "/ssh-keys/", key)
  }

  private func decode<Result: Decodable>(
    _ status: Int, _ method: String, _ path: String, _ body: (some Encodable)? = nil as Data?
  ) async throws -> Result {
    let encoder = JSONEncoder()
    encoder.keyEncodingStrategy = .convertToSnakeCase
    let reply = try await send(method, path, json: try body.map { try encoder.encode($0) })
    try expect(status, reply, method, path)
    let decoder = JSONDecoder()
    decoder.keyDecodingStrategy = .convertFromSnakeCase
    return try decoder.decode(Result.self, from: reply.body)
  }

  private func expect(_ status: Int, _ reply: Reply, _ method: String, _ path: String) throws {
    guard reply.status == status else {
      throw UnexpectedReply(description: "\(method) \(path): \(reply.status) \(reply.text)")
    }
  }
}

import Core
import HTTPTypes
import TestSupport
import Testing

@testable import API
@testable import Engine

/// The service on a port, with one server that every reply is about. A database that is said never to change gives old replies
/// again: so it is seen which ones come from memory.
struct WarmAPI {
  let api: TestAPI
  let port: Int

  /// - Parameter mark: What tells of changes; nil for the database itself.
  static func with(
    limits: RequestLimits = TestAPI.noLimits, connections: ConnectionLimits = ListeningAPI.patient,
    trustedProxies: TrustedProxies = .none, figures: RequestFigures? = nil, mark: (@Sendable () -> Int64?)?,
    _ test: @escaping @Sendable (WarmAPI) async throws -> Void
  ) async throws {
    let api = TestAPI(
      try await TestService(), limits: limits, trustedProxies: trustedProxies, figures: figures, changeMark: mark)
    _ = try await api.activeServer(name: "before")
    try await ListeningAPI.with(api, connections) { try await test(WarmAPI(api: api, port: $0.port)) }
  }

  /// How many replies are in memory.
  var count: Int? { api.api.memory?.count }

  /// The whole reply, which says that it is the last one of its connection.
  func get(_ path: String = "/servers/1/", _ headers: String = "", token: String? = nil) async throws -> String {
    try await send(request(path, headers + "Connection: close\r\n", token: token))
  }

  /// All that a new connection is told.
  func send(_ text: String) async throws -> String {
    let client = try await RawClient(port: port)
    client.send(text)
    return try #require(await client.receiveAll())
  }

  func request(
    _ path: String = "/servers/1/", _ headers: String = "", token: String? = nil, version: String = "1.1"
  ) -> String {
    "GET /api/v1\(path) HTTP/\(version)\r\nHost: vps.example\r\n"
      + "Authorization: Bearer \(token ?? api.service.token.text)\r\n\(headers)\r\n"
  }

  /// Reads it until the reply is in memory.
  func keep(_ path: String = "/servers/1/", _ headers: String = "", token: String? = nil) async throws {
    _ = try await get(path, headers, token: token)
    api.service.clock.advance(by: RepliesInMemory.settling)
    _ = try await get(path, headers, token: token)
  }

  func rename(_ name: String) async throws {
    #expect(try await api.send(.patch, "/servers/1/", #"{"name": "\#(name)"}"#).status == 200)
  }
}

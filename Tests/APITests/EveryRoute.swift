import Core
import Engine
import Foundation
import HTTPTypes
import SQLStore
import TestSupport
import Testing

@testable import API

/// Every route of the service, as its own table has them: a new one is tested without anybody thinking of it.
struct EveryRoute {
  /// Of what belongs to no account, everybody sees the same.
  private static let shared = [
    "plans", "operating-systems", "locations", "operator/plans", "operator/operating-systems", "operator/locations",
    "operator/hosts",
  ]
  private static let key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl a@b"

  /// A body with which an account makes one of the things that a path names. A new kind of thing needs a line here.
  private static let makers = [
    "servers": #"{"name": "a", "plan_id": 3, "os_id": 3, "location": "us-west"}"#,
    "ssh-keys": #"{"name": "k", "public_key": "\#(key)"}"#,
    "tokens": #"{"name": "t", "permissions": ["servers:read"]}"#,
    "backups": #"{"server_id": 1, "description": "before the change"}"#,
    "snapshots": #"{"server_id": 1, "name": "before-the-change"}"#,
    "operator/accounts": #"{"email": "ada@example.com", "credit": "10.00"}"#,
    "operator/servers": #"{"account_id": 2, "name": "b", "plan_id": 3, "os_id": 3, "location": "us-west"}"#,
  ]

  let api: TestAPI
  /// The ids and uuids of what the first account has, by the first word of the path: at least one of each kind.
  private(set) var references: [String: [String]] = [:]
  /// Of the second account.
  private(set) var tokenID = "1"

  /// A service with one of everything in the first account, and for operators a second one with a server and a token. Requests may do
  /// everything, unless they say otherwise.
  static func make(limits: RequestLimits = TestAPI.noLimits) async throws -> EveryRoute {
    var routes = EveryRoute(api: try await TestAPI.powerful(try await TestService(), limits: limits).api)
    for kind in routes.kinds where !shared.contains(kind) { try await routes.makeOne(of: kind) }
    let token = try await routes.api.send(.post, "/operator/accounts/2/tokens/", makers["tokens"])
    routes.tokenID = "\(try #require(try token.json["id"] as? Int))"
    return routes
  }

  var endpoints: [Endpoint] { api.api.routes.endpoints }

  /// The first words of paths that name a thing, servers before what is made of them.
  private var kinds: [String] {
    var kinds: [String] = []
    for endpoint in endpoints where endpoint.path.contains("{id}") && !kinds.contains(endpoint.kind) {
      kinds.append(endpoint.kind)
    }
    return kinds
  }

  private mutating func makeOne(of kind: String) async throws {
    let body = try #require(Self.makers[kind], "say in EveryRoute.makers how to make one of \(kind)")
    let made = try await api.send(.post, "/\(kind)/", body)
    #expect([200, 201, 202].contains(made.status), "\(kind): \(made.text)")
    try await api.service.settle()
    let object = try made.json
    let id = try #require(object["id"] as? Int)
    references[kind] = ["\(id)"] + ((object["uuid"] as? String).map { [$0] } ?? [])
  }

  /// A path of the endpoint that leads to something of the first account.
  func path(of endpoint: Endpoint) -> String {
    paths(of: endpoint)[0]
  }

  /// All ways to write it, by id and by uuid.
  func paths(of endpoint: Endpoint) -> [String] {
    guard endpoint.path.contains("{id}") else { return [endpoint.path] }
    return (references[endpoint.kind] ?? [Self.standardID(of: endpoint.kind)]).map {
      endpoint.path.replacing("{token_id}", with: tokenID).replacing("{id}", with: $0)
    }
  }

  /// Of what everybody sees, one that is there.
  static func standardID(of kind: String) -> String {
    kind.hasSuffix("operating-systems") ? "3" : kind == "operator/hosts" ? "1" : "2"
  }

  /// The endpoints below something that belongs to an account, for its customer.
  var owned: [Endpoint] {
    endpoints.filter { $0.path.contains("{id}") && !Self.shared.contains($0.kind) && !$0.isForOperators }
  }

  /// Everything that is in the database, to the byte.
  func everything() async throws -> Data {
    try await api.service.content()
  }

  /// Sends a request to whatever answers it, a stream too.
  func send(
    _ endpoint: Endpoint, _ path: String? = nil, _ body: String? = nil, token: String? = nil, headers: HTTPFields = [:]
  ) async throws -> TestAPI.Reply {
    try await api.send(endpoint.method, path ?? self.path(of: endpoint), body, token: token, headers: headers)
  }
}

extension Endpoint {
  var name: String { "\(method.rawValue) \(path)" }
  /// `servers`, `operator/servers`.
  var kind: String { path.split(separator: "/").prefix(isForOperators ? 2 : 1).joined(separator: "/") }
  var takesBody: Bool { [.post, .put, .patch].contains(method) }
  var isStream: Bool { mediaType == "text/event-stream" }

  func path(with id: String) -> String { path.replacing("{id}", with: id).replacing("{token_id}", with: "1") }
}

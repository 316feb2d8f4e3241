import API
import Core
import Documentation
import Engine
import Foundation
import HTTPTypes
import Hummingbird
import Logging
import NIOCore
import NIOEmbedded
import SQLStore
import SimulatedDriver
import TestSupport

/// The HTTP face of a whole service in this process: requests go in as values and replies come out, without a socket.
struct TestAPI {
  struct Reply {
    let status: Int
    let headers: HTTPFields
    let text: String

    /// The body as Foundation reads it.
    var json: [String: Any] {
      get throws {
        try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any] ?? [:]
      }
    }
  }

  /// How much an account may have; nil for as much as it likes.
  struct Quotas {
    var tokens: Int?
    var sshKeys: Int?
    var requests = Idempotency.Limits()
  }

  static let noLimits = RequestLimits(requestsPerMinute: 0, loginFailuresPerMinute: 0)

  let service: TestService
  /// What the service is made of, and what it says of itself.
  let api: APIService
  /// What a request bears that says nothing of it; nil for the owner's token.
  var token: String?
  private let responder: any HTTPResponder<APIContext>
  private let logger = Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() })

  init(
    _ service: TestService, limits: RequestLimits = TestAPI.noLimits,
    noVNC: URL = URL(fileURLWithPath: "/nowhere", isDirectory: true), publicURL: PublicURL? = nil,
    pages: (any WebPages)? = nil, quotas: Quotas = Quotas(), trustedProxies: TrustedProxies = .none,
    reverseNames: ReverseNames? = nil, figures: RequestFigures? = nil, changeMark: (@Sendable () -> Int64?)? = nil
  ) {
    self.service = service
    let store = service.store
    let useCases = UseCases(
      servers: service.servers, metrics: Metrics(store: store, clock: service.clock), firewalls: service.firewalls,
      reverseNames: reverseNames ?? service.reverseNames, backups: service.backups, snapshots: service.snapshots,
      sshKeys: SSHKeys(store: store, clock: service.clock, quota: quotas.sshKeys),
      tokens: Tokens(
        store: store, authenticator: service.authenticator, clock: service.clock, quota: quotas.tokens),
      profiles: Profiles(store: store), statements: Statements(store: store, clock: service.clock),
      requests: Idempotency(store: store, clock: service.clock, limits: quotas.requests),
      events: Events(store: store, changes: service.changes, clock: service.clock),
      consoles: service.consoles, catalogue: service.catalogue,
      sessions: Sessions(store: store, authenticator: service.authenticator, clock: service.clock),
      operators: Operators(store: store, fleet: service.fleet, clock: service.clock))
    api = APIService(
      useCases, authenticator: service.authenticator,
      document: Self.document, noVNC: noVNC, publicURL: publicURL, pages: pages,
      trustedProxies: trustedProxies, clock: service.clock,
      logger: logger, limits: limits, figures: figures,
      changeMark: changeMark ?? service.database.changeMark,
      isReady: { try await store.isBootstrapped() }
    )
    responder = api.router().buildResponder()
  }

  static let document = DocumentNode.object([
    .init("openapi", .text("3.1.0")), .init("info", .object([])), .init("paths", .object([])),
  ])

  /// Of a service with a panel, of which there is nothing but that it is there. What bears no token of its own bears one that may do
  /// everything, as a customer and as an operator.
  static func powerful(
    _ service: TestService, limits: RequestLimits = noLimits
  ) async throws -> (api: TestAPI, caller: Caller) {
    var api = TestAPI(service, limits: limits, pages: NoPages())
    let made = try await service.newToken(
      of: service.owner.accountID, permissions: [Permission(.operator, .any), .everything], name: "powerful")
    api.token = made.token.text
    return (api, made.caller)
  }

  private struct NoPages: WebPages {
    let openPaths: Set<String> = []

    func register(on router: Router<APIContext>) {}
    func response(to error: any Error, _ request: Request, _ context: APIContext) -> Response? { nil }
  }

  static func make(options: SimulatedDriver.Options = .init()) async throws -> TestAPI {
    TestAPI(try await TestService(options: options))
  }

  /// - Parameters:
  ///   - path: Below the base path, unless it begins with two slashes.
  ///   - token: Nil for the owner's; an empty text for none.
  func send(
    _ method: HTTPRequest.Method, _ path: String, _ body: String? = nil, token: String? = nil,
    headers: HTTPFields = [:]
  ) async throws -> Reply {
    try await send(method, path, bytes: Array((body ?? "").utf8), token: token, headers: headers)
  }

  /// For a body that is no text.
  func send(
    _ method: HTTPRequest.Method, _ path: String, bytes: [UInt8], token: String? = nil, headers: HTTPFields = [:]
  ) async throws -> Reply {
    let response = try await respond(method, path, bytes, token: token, headers: headers)
    let collector = Collector()
    try await response.body.write(collector)
    return Reply(status: response.status.code, headers: response.headers, text: collector.text)
  }

  /// For an answer that goes on and on.
  struct Stream {
    let status: Int
    let headers: HTTPFields
    let parts: AsyncStream<String>
    let cancel: @Sendable () -> Void
  }

  func stream(_ path: String, token: String? = nil, headers: HTTPFields = [:]) async throws -> Stream {
    let response = try await respond(.get, path, [], token: token, headers: headers)
    let (parts, continuation) = AsyncStream.makeStream(of: String.self)
    let task = Task {
      try? await response.body.write(Relay(continuation: continuation))
      continuation.finish()
    }
    return Stream(
      status: response.status.code, headers: response.headers, parts: parts, cancel: { task.cancel() })
  }

  private func respond(
    _ method: HTTPRequest.Method, _ path: String, _ body: [UInt8], token: String?, headers: HTTPFields
  ) async throws -> Response {
    var fields = headers
    let token = token ?? self.token ?? service.token.text
    if !token.isEmpty, fields[.authorization] == nil { fields[.authorization] = "Bearer \(token)" }
    if fields[.contentType] == nil { fields[.contentType] = "application/json" }
    let target = path.hasPrefix("//") ? String(path.dropFirst()) : "/api/v1" + path
    let request = Request(
      head: HTTPRequest(method: method, scheme: "http", authority: "127.0.0.1", path: target, headerFields: fields),
      body: RequestBody(buffer: ByteBuffer(bytes: body)))
    let context = APIContext(source: ApplicationRequestContextSource(channel: EmbeddedChannel(), logger: logger))
    return try await responder.respond(to: request, context: context)
  }

  func createServer(name: String = "web-1") async throws -> Int {
    let reply = try await send(
      .post, "/servers/", #"{"name": "\#(name)", "plan_id": 3, "os_id": 3, "location": "us-west"}"#)
    return try reply.json["id"] as? Int ?? 0
  }

  func activeServer(name: String = "web-1") async throws -> Int {
    let id = try await createServer(name: name)
    try await service.settle()
    return id
  }
}

private struct Relay: ResponseBodyWriter {
  let continuation: AsyncStream<String>.Continuation

  func write(_ part: ByteBuffer) async throws { continuation.yield(String(buffer: part)) }
  func finish(_ trailers: HTTPFields?) async throws {}
}

extension TestAPI {
  final class Collector: ResponseBodyWriter {
    private var buffer = ByteBuffer()

    var text: String { String(buffer: buffer) }

    func write(_ part: ByteBuffer) async throws {
      buffer.writeImmutableBuffer(part)
    }

    func finish(_ trailers: HTTPFields?) async throws {}
  }
}

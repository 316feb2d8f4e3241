import Core
import HTTPTypes
import Hummingbird
import NIOCore

/// A method of a path, the permission that it requires, and its handler.
struct Endpoint: Sendable {
  let method: HTTPRequest.Method
  /// Below the base path, with a final slash: `/servers/{id}/start/`.
  let path: String
  /// Nil if any valid token will do.
  let permission: Permission?
  /// The media type of a successful reply.
  let mediaType: String
  /// The media types that it can reply with instead, if the client prefers one.
  let alternatives: [String]
  /// Whether it changes something that has an entity tag, and its handler compares `If-Match`.
  let hasTag: Bool
  /// Whether its handler notes the servers that it shows, so that `RepliesInMemory` may keep the reply.
  let isKept: Bool
  let handle: @Sendable (APIRequest) async throws -> Response

  /// Whether only operators' programs can use it.
  var isForOperators: Bool { permission?.resource == .operator }

  init(
    _ method: HTTPRequest.Method, _ path: String, _ permission: Permission?,
    mediaType: String = "application/json", alternatives: [String] = [], hasTag: Bool = false,
    isKept: Bool = false, handle: @escaping @Sendable (APIRequest) async throws -> Response
  ) {
    self.method = method
    self.path = path
    self.permission = permission
    self.mediaType = mediaType
    self.alternatives = alternatives
    self.hasTag = hasTag
    self.isKept = isKept
    self.handle = handle
  }
}

/// All endpoints of the API.
struct RouteTable: Sendable {
  static let basePath = "/api/v1"

  let endpoints: [Endpoint]

  /// The methods of all endpoints at this path, as for an `Allow` header.
  func methods(at path: String, for caller: Caller) -> [String] {
    let segments = path.dropFirst(Self.basePath.count).split(separator: "/")
    let matching = endpoints.filter { endpoint in
      if endpoint.isForOperators, caller.principal.kind != .operator { return false }
      let pattern = endpoint.path.split(separator: "/")
      return pattern.count == segments.count
        && zip(pattern, segments).allSatisfy { $0 == $1 || $0.hasPrefix("{") }
    }
    return matching.flatMap { $0.method == .get ? ["GET", "HEAD"] : [$0.method.rawValue] }
  }

  func register(
    on router: Router<APIContext>, gate: Gate, idempotency: IdempotencyHeader, publicURL: PublicURL?,
    _ memory: RepliesInMemory?
  ) {
    for endpoint in endpoints {
      let isOfServer = endpoint.path.hasPrefix("/servers/{id}/")
      router.on(RouterPath(Self.basePath + endpoint.path), method: endpoint.method) { request, context in
        let caller = try await gate.admit(request, context, permission: endpoint.permission)
        // Before anything that the reply tells is read, so that it is of this moment or a later one.
        let moment = endpoint.isKept && request.method == .get ? memory?.settledMoment() : nil
        guard ([endpoint.mediaType] + endpoint.alternatives).contains(where: { APIRequest.accepts($0, request) }) else {
          throw Rejection.notAcceptable
        }
        guard request.headers[values: .expect].allSatisfy({ $0.utf8.isToken("100-continue") }) else {
          throw Rejection.unknownExpectation
        }
        try QueryNames.requireOnce(request)
        try Precondition.check(request, hasTag: endpoint.hasTag)
        let whole = APIRequest(
          caller: caller, request: request, context: context, gate: gate,
          publicURL: publicURL ?? PublicURL(of: request, context.origin))
        var response = try await idempotency.respond(to: whole, endpoint.handle)
        if isOfServer, let server = context.parameters.get("id") { context.subject.note(server: server) }
        if endpoint.method == .get || response.headers[.eTag] != nil {
          response = try await EntityTag.added(to: response)
        }
        if let memory, let moment, response.status == .ok, let shown = context.shown.views {
          let reply = RepliesInMemory.Reply(
            headers: response.headers, body: ByteBuffer(bytes: try await response.body.whole()),
            permission: endpoint.permission, path: context.endpointPath,
            server: isOfServer ? context.parameters.get("id") : nil, shown: shown)
          memory.keep(reply, to: request, of: caller, whole.publicURL, at: moment)
        }
        return Precondition.applied(to: response, of: request)
      }
    }
  }
}

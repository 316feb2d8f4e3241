import Core
import HTTPTypes
import Hummingbird

/// One method of one path, and what a token needs to be let in.
struct Endpoint: Sendable {
  let method: HTTPRequest.Method
  /// Below the base path, with a final slash: `/servers/{id}/start/`.
  let path: String
  /// Nil where any valid token will do.
  let permission: Permission?
  /// What it answers with, unless something is wrong.
  let mediaType: String
  /// What it can answer with as well, for those who like that better.
  let alternatives: [String]
  /// Whether it changes what has an entity tag, and looks at `If-Match`.
  let hasTag: Bool
  let handle: @Sendable (APIRequest) async throws -> Response

  /// Whether it is there for operators' programs only.
  var isForOperators: Bool { permission?.resource == .operator }

  init(
    _ method: HTTPRequest.Method, _ path: String, _ permission: Permission?,
    mediaType: String = "application/json", alternatives: [String] = [], hasTag: Bool = false,
    handle: @escaping @Sendable (APIRequest) async throws -> Response
  ) {
    self.method = method
    self.path = path
    self.permission = permission
    self.mediaType = mediaType
    self.alternatives = alternatives
    self.hasTag = hasTag
    self.handle = handle
  }
}

/// Every endpoint of the API, once.
struct RouteTable: Sendable {
  static let basePath = "/api/v1"

  let endpoints: [Endpoint]

  /// The methods that some endpoint answers at this path, as in an `Allow` header.
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

  func register(on router: Router<APIContext>, gate: Gate, idempotency: IdempotencyHeader, publicURL: PublicURL?) {
    for endpoint in endpoints {
      let isOfServer = endpoint.path.hasPrefix("/servers/{id}/")
      router.on(RouterPath(Self.basePath + endpoint.path), method: endpoint.method) { request, context in
        let caller = try await gate.admit(request, context, permission: endpoint.permission)
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
        return Precondition.applied(to: response, of: request)
      }
    }
  }
}

package import Core
package import Engine
package import Hummingbird
package import Logging
package import NIOCore

/// The HTTP face of the engine: every route, and what surrounds them.
package struct APIService: Sendable {
  private let gate: Gate
  private let routes: RouteTable
  private let repetition: Repetition
  private let document: ByteBuffer
  private let isHealthy: @Sendable () async throws -> Bool
  private let logger: Logger

  /// - Parameters:
  ///   - copies: Backups and snapshots.
  ///   - document: The description of the API, as JSON, for whoever asks.
  package init(
    servers: Servers, copies: [DiskCopies], sshKeys: SSHKeys, tokens: Tokens, profiles: Profiles,
    requests: RepeatableRequests, events: Events, catalogue: CatalogueReader, authenticator: Authenticator,
    document: ByteBuffer, clock: any WallClock, logger: Logger, limits: RequestLimits = RequestLimits(),
    isHealthy: @escaping @Sendable () async throws -> Bool
  ) {
    gate = Gate(authenticator: authenticator, limits: limits, clock: clock)
    self.logger = logger
    repetition = Repetition(requests: requests)
    self.document = document
    self.isHealthy = isHealthy
    routes = RouteTable(
      endpoints: ServerRoutes(servers: servers, keys: sshKeys, catalogue: catalogue, clock: clock).endpoints
        + copies.flatMap { DiskCopyRoutes(copies: $0, servers: servers).endpoints }
        + SSHKeyRoutes(keys: sshKeys).endpoints + TokenRoutes(tokens: tokens, profiles: profiles).endpoints
        + EventRoutes(events: events).endpoints + CatalogueRoutes(catalogue: catalogue).endpoints)
  }

  private static let documentPath = "/openapi.json"

  /// Every method and path below the base path.
  package var paths: [(method: String, path: String)] {
    routes.endpoints.map { ($0.method.rawValue, $0.path) } + [("GET", Self.documentPath)]
  }

  package func router() -> Router<APIContext> {
    let router = Router(context: APIContext.self, options: .autoGenerateHeadEndpoints)
    router.add(middleware: Envelope(routes: routes, gate: gate, logger: logger))
    router.get("/healthz") { _, _ in
      let isHealthy = (try? await isHealthy()) ?? false
      return Response.json(
        JSONWriter.object { $0.field("status", isHealthy ? "ok" : "unavailable") },
        status: isHealthy ? .ok : .serviceUnavailable)
    }
    router.get(RouterPath(RouteTable.basePath + Self.documentPath)) { [document] _, _ in Response.json(document) }
    routes.register(on: router, gate: gate, repetition: repetition)
    return router
  }
}

package import Core
package import Engine
package import Hummingbird
package import Logging

/// The HTTP face of the engine: every route, and what surrounds them.
package struct APIService: Sendable {
  private let gate: Gate
  private let routes: RouteTable
  private let isHealthy: @Sendable () async throws -> Bool
  private let logger: Logger

  package init(
    servers: Servers, sshKeys: SSHKeys, catalogue: CatalogueReader, authenticator: Authenticator,
    clock: any WallClock, logger: Logger, limits: RequestLimits = RequestLimits(),
    isHealthy: @escaping @Sendable () async throws -> Bool
  ) {
    gate = Gate(authenticator: authenticator, limits: limits, clock: clock)
    self.logger = logger
    self.isHealthy = isHealthy
    routes = RouteTable(
      endpoints: ServerRoutes(servers: servers, catalogue: catalogue, clock: clock).endpoints
        + SSHKeyRoutes(keys: sshKeys).endpoints + CatalogueRoutes(catalogue: catalogue).endpoints)
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
    routes.register(on: router, gate: gate)
    return router
  }
}

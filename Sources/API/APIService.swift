package import Core
package import Documentation
package import Engine
package import Foundation
package import Hummingbird
package import Logging

/// The HTTP interface of the engine: every route, and the middleware around them.
package struct APIService: Sendable {
  private let gate: Gate
  let routes: RouteTable
  private let idempotency: IdempotencyHeader
  /// The API reference, which needs no token.
  private let reference: APIReferenceOnDemand
  private let consolePage: ConsolePage
  let consoleDoor: ConsoleDoor
  let trustedProxies: TrustedProxies
  private let figures: RequestFigures?
  let memory: RepliesInMemory?
  private let publicURL: PublicURL?
  private let pages: (any WebPages)?
  let clock: any WallClock
  private let isReady: @Sendable () async throws -> Bool
  let logger: Logger

  /// - Parameters:
  ///   - document: The description of the API, in OpenAPI.
  ///   - translations: The same description in other languages.
  ///   - noVNC: The folder of the viewer that the console's page shows.
  ///   - publicURL: The URL at which clients reach this service; nil to take it from each request.
  ///   - pages: Nil for no pages but those about the API.
  ///   - trustedProxies: The proxies that are trusted to tell whose requests they forward.
  ///   - figures: Where requests are counted; nil if they are not.
  ///   - sharedAttempts: Where all services of a database count clients that send invalid tokens; nil for a single service.
  ///   - changeMark: A number that is another one after every commit to the database, by whichever process; nil to keep no
  ///     replies in memory.
  ///   - isReady: Whether requests should be sent to this service.
  package init(
    _ useCases: UseCases, authenticator: Authenticator,
    document: @autoclosure @escaping @Sendable () throws -> DocumentNode,
    translations: @autoclosure @escaping @Sendable () throws -> [Language: DocumentNode] = [:], noVNC: URL,
    publicURL: PublicURL? = nil,
    pages: (any WebPages)? = nil,
    trustedProxies: TrustedProxies = .none, clock: any WallClock, logger: Logger,
    limits: RequestLimits = RequestLimits(), figures: RequestFigures? = nil,
    sharedAttempts: (any AttemptStore)? = nil, changeMark: (@Sendable () -> Int64?)? = nil,
    isReady: @escaping @Sendable () async throws -> Bool
  ) {
    gate = Gate(authenticator: authenticator, limits: limits, sharedAttempts: sharedAttempts, clock: clock)
    self.logger = logger
    idempotency = IdempotencyHeader(requests: useCases.requests)
    reference = APIReferenceOnDemand { APIReference(try document(), try translations()) }
    self.clock = clock
    self.publicURL = publicURL
    self.pages = pages
    self.trustedProxies = trustedProxies
    self.figures = figures
    consolePage = ConsolePage(noVNC: noVNC, publicURL: publicURL)
    consoleDoor = ConsoleDoor(consoles: useCases.consoles, publicURL: publicURL, proxies: trustedProxies)
    self.isReady = isReady
    let servers = useCases.servers
    memory = changeMark.map { [gate] in
      RepliesInMemory(servers: servers, gate: gate, publicURL: publicURL, clock: clock, changeMark: $0)
    }
    routes = RouteTable(
      endpoints: ServerRoutes(servers: servers, catalogue: useCases.catalogue, clock: clock).endpoints
        + MetricRoutes(metrics: useCases.metrics, servers: servers).endpoints
        + FirewallRoutes(firewalls: useCases.firewalls, servers: servers).endpoints
        + ReverseNameRoutes(reverseNames: useCases.reverseNames, servers: servers).endpoints
        + [useCases.backups, useCases.snapshots].flatMap { DiskCopyRoutes(copies: $0, servers: servers).endpoints }
        + SSHKeyRoutes(keys: useCases.sshKeys).endpoints
        + TokenRoutes(tokens: useCases.tokens, profiles: useCases.profiles).endpoints
        + StatementRoutes(statements: useCases.statements).endpoints
        + ConsoleRoutes(consoles: useCases.consoles, servers: servers).endpoints
        + EventRoutes(events: useCases.events).endpoints
        + CatalogueRoutes(catalogue: useCases.catalogue).endpoints
        + Self.operatorEndpoints(useCases, hasPanel: pages != nil, clock))
  }

  private static func operatorEndpoints(
    _ useCases: UseCases, hasPanel: Bool, _ clock: any WallClock
  ) -> [Endpoint] {
    let operators = useCases.operators
    let servers = ServerRoutes(servers: useCases.servers, catalogue: useCases.catalogue, clock: clock)
    let accounts = OperatorAccountRoutes(
      accounts: operators.accounts, statements: StatementRoutes(statements: useCases.statements),
      tokens: TokenRoutes(tokens: useCases.tokens, profiles: useCases.profiles), hasPanel: hasPanel, clock: clock)
    return accounts.endpoints
      + OperatorServerRoutes(operators: operators, customers: servers, currency: useCases.statements.currency).endpoints
      + OperatorCatalogueRoutes(catalogue: operators.catalogue).endpoints
      + OperatorHostRoutes(operators: operators).endpoints
  }

  private static let documentPath = "/openapi.json"
  private static let pagePath = "/docs"
  private static let healthPath = "/healthz"
  private static let readinessPath = "/readyz"

  private func isSecure(_ origin: RequestOrigin) -> Bool { publicURL?.isSecure ?? origin.isSecure }

  /// Every method and path below the base path.
  package var paths: [(method: String, path: String)] {
    routes.endpoints.map { ($0.method.rawValue, $0.path) } + [("GET", Self.documentPath)]
  }

  var envelope: Envelope {
    let own = [RouteTable.basePath + Self.documentPath, Self.pagePath, Self.healthPath, Self.readinessPath, "/"]
    return Envelope(
      routes: routes, openPaths: Set(own).union(pages?.openPaths ?? []), pages: pages, gate: gate,
      proxies: trustedProxies, figures: figures, memory: memory, logger: logger)
  }

  package func router() -> Router<APIContext> {
    let router = Router(context: APIContext.self, options: .autoGenerateHeadEndpoints)
    router.add(middleware: envelope)
    if let pages {
      pages.register(on: router)
    } else {
      router.get("/") { _, _ in Response.redirect(to: Self.pagePath, type: .temporary) }
    }
    router.get(RouterPath(Self.healthPath)) { _, _ in
      // Does not depend on the database: a supervisor that restarts unhealthy services must not do so because the
      // database is away.
      Response.json(JSONWriter.object { $0.field("status", "ok") }, status: .ok)
    }
    router.get(RouterPath(Self.readinessPath)) { _, _ in
      let isReady = (try? await isReady()) ?? false
      return Response.json(
        JSONWriter.object { $0.field("status", isReady ? "ok" : "unavailable") },
        status: isReady ? .ok : .serviceUnavailable)
    }
    router.get(RouterPath(RouteTable.basePath + Self.documentPath)) { request, _ in
      try await reference.value.document.response(to: request)
    }
    router.get(RouterPath(Self.pagePath)) { request, context in
      let (chosen, isSecure) = (request.uri.queryParameters.get("language"), isSecure(context.origin))
      let language = Language(askedBy: request, query: chosen, isSecure: isSecure)
      let pages = try await reference.value.pages
      guard let page = pages[language] ?? pages[.english] else { throw HTTPError(.notFound) }
      var response = page.response(to: request)
      if chosen != nil { Cookie.language.set(language.rawValue, isSecure: isSecure, in: &response) }
      return response
    }
    routes.register(on: router, gate: gate, idempotency: idempotency, publicURL: publicURL, memory)
    consolePage.register(on: router)
    return router
  }
}

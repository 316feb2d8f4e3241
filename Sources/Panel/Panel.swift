package import API
package import Core
package import Engine
import HTTPTypes
package import Hummingbird
import NIOCore

/// The web panel: pages rendered on the server, for people who are signed in. It uses the same use cases as the API.
package struct Panel: WebPages {
  let useCases: UseCases
  let clock: any WallClock
  let publicURL: PublicURL?
  let limits: RequestLimits
  let assets = Assets()
  private let requests: RateLimit<ID<Account>>?
  private let signIns: ClientLimit?

  /// - Parameters:
  ///   - publicURL: The URL at which people reach this service; nil to use that of each request.
  ///   - sharedAttempts: Counts sign-in attempts for all services of a database; nil where there is only one.
  package init(
    _ useCases: UseCases, publicURL: PublicURL?, limits: RequestLimits = RequestLimits(),
    sharedAttempts: (any AttemptStore)? = nil, clock: any WallClock
  ) {
    self.useCases = useCases
    self.clock = clock
    self.publicURL = publicURL
    self.limits = limits
    requests = RateLimit(perMinute: limits.requestsPerMinute, clock: clock)
    signIns = ClientLimit(
      perMinute: limits.loginFailuresPerMinute, purpose: "sign-in", shared: sharedAttempts, clock: clock)
  }

  package var openPaths: Set<String> { [] }

  var routes: [PanelRoute] {
    SignInPages(sessions: useCases.sessions, attempts: signIns).routes
      + ServerListPage(useCases: useCases).routes + ServerCreationPage(useCases: useCases, limits: limits).routes
      + ServerPages(useCases: useCases, clock: clock, limits: limits).routes
      + RescuePages(useCases: useCases).routes
      + MetricPage(useCases: useCases, clock: clock).routes
      + FirewallPage(useCases: useCases, limits: limits).routes
      + ReverseNamePage(servers: useCases.servers, reverseNames: useCases.reverseNames).routes
      + ServerChangePages(useCases: useCases).routes + DiskCopyPages(useCases: useCases).routes
      + SSHKeyPages(keys: useCases.sshKeys).routes + TokenPages(tokens: useCases.tokens).routes
      + BillingPage(statements: useCases.statements, profiles: useCases.profiles, clock: clock).routes
      + AccountPages(sessions: useCases.sessions).routes + operatorRoutes
      + EventStream(events: useCases.events, sessions: useCases.sessions, limits: limits).routes
  }

  private var operatorRoutes: [PanelRoute] {
    let (operators, sessions) = (useCases.operators, useCases.sessions)
    let links = LoginLinkPage(accounts: operators.accounts, publicURL: publicURL)
    return OperatorAccountList(accounts: operators.accounts, sessions: sessions, links: links).routes
      + OperatorAccountPage(operators: operators, sessions: sessions, links: links).routes
      + OperatorServerList(operators: operators, sessions: sessions).routes
      + OperatorServerPage(operators: operators, sessions: sessions, clock: clock).routes
      + OperatorHostPage(hosts: operators.hosts, sessions: sessions).routes
      + OperatorSystemPage(servers: operators.servers, sessions: sessions).routes
      + OperatorAuditPage(operators: operators, sessions: sessions).routes
  }

  package func register(on router: Router<APIContext>) {
    assets.register(on: router)
    for route in routes {
      router.on(RouterPath(route.path), method: route.method) { request, context in
        let response = try await answer(to: request, context, route)
        return response.headers[.contentType] == Layout.mediaType
          ? try await response.compressed(for: request) : response
      }
    }
  }

  private func answer(
    to request: Request, _ context: APIContext, _ route: PanelRoute
  ) async throws -> Response {
    let visitor = Visitor(request, context, publicURL: publicURL)
    do {
      switch route.handler {
      case .open(let handle):
        if request.method == .post { try requireOwnPage(visitor) }
        return response(try await handle(visitor), visitor, nil)
      case .signedIn(let handle):
        guard let visit = try await visit(visitor) else { return response(signInFirst(visitor), visitor, nil) }
        try requireShown(route, to: visit)
        return response(try await handle(visit), visitor, visit)
      case .once(let handle):
        guard let visit = try await visit(visitor) else { return response(signInFirst(visitor), visitor, nil) }
        try requireShown(route, to: visit)
        return try await repeatable(visit, needsKey: route.needsKey, handle)
      }
    } catch let hidden as HiddenPage {
      throw hidden.failure
    } catch {
      let page = ErrorPage.page(about: error, visitor)
      // A server error is thrown on: the code around all requests logs it, and gets the page from `response(to:)`.
      if page.status.code >= 500 { throw error }
      return response(.page(page), visitor, try? await visit(visitor))
    }
  }

  /// For anybody but operators, a page for operators is like a path that does not exist.
  private func requireShown(_ route: PanelRoute, to visit: Visit) throws(HiddenPage) {
    if route.isForOperators, !visit.account.mayOperate { throw HiddenPage() }
  }

  package func response(to error: any Error, _ request: Request, _ context: APIContext) -> Response? {
    let accepts = request.headers[.accept] ?? ""
    guard !request.uri.path.hasPrefix("/api/"), accepts.utf8.count <= 1000, accepts.contains("text/html") else {
      return nil
    }
    let visitor = Visitor(request, context, publicURL: publicURL)
    return response(.page(ErrorPage.page(about: error, visitor)), visitor, nil)
  }

  /// Nil if the visitor is not signed in.
  private func visit(_ visitor: Visitor) async throws -> Visit? {
    guard let session = visitor.session else { return nil }
    do {
      let caller = try await useCases.sessions.caller(in: session).from(visitor.context.origin.address)
      visitor.context.subject.note(caller.accountID)
      try requests?.take(caller.accountID).throwIfRefused()
      return Visit(
        visitor: visitor, caller: caller, unclaimed: caller, session: session,
        account: try await useCases.profiles.account(caller), currency: useCases.profiles.currency)
    } catch let failure as Failure where failure.code == .credentialsInvalid {
      return nil
    }
  }

  /// After signing in, people get to the page that they have requested.
  private func signInFirst(_ visitor: Visitor) -> Answer {
    guard visitor.request.method == .get else { return .redirect(SignInPages.path) }
    return .redirect(SignInPages.path(leadingTo: visitor.request.uri.path))
  }

  // MARK: Forms

  private func repeatable(
    _ visit: Visit, needsKey: Bool, _ handle: @Sendable (Visit) async throws -> Answer
  ) async throws -> Response {
    let (form, bytes) = try await form(of: visit.visitor)
    guard let proof = form["proof"], proof.isPlain(atMost: 100), visit.session.isProof(proof) else {
      throw FormRefused()
    }
    var visit = visit
    visit.form = form
    guard let key = form["form"], RandomText.isPossible(key) else {
      if needsKey { throw FormRefused() }
      return response(try await handle(visit), visit.visitor, visit)
    }
    guard let beginning = try await begin(key, bytes, visit) else {
      if needsKey { throw FormNotRemembered() }
      return response(try await handle(visit), visit.visitor, visit)
    }
    switch beginning {
    case .answered(_, let body): return replay(body, visit)
    case .first(let attempt):
      let response: Response
      do {
        response = self.response(
          try await handle(visit.replacing(caller: attempt.caller)), visit.visitor, visit)
      } catch {
        try? await useCases.requests.abandon(attempt)
        throw error
      }
      try await keep(response, attempt)
      return response
    }
  }

  /// A second click waits for the answer to the first. Returns nil where this form's key cannot be stored because programs have
  /// left too many keys: people must still be able to stop those programs.
  private func begin(_ key: String, _ bytes: [UInt8], _ visit: Visit) async throws -> Idempotency.Beginning? {
    let deadline = clock.uptime + .seconds(20)
    while true {
      do {
        return try await useCases.requests.begin(
          key: key, method: "POST", path: visit.visitor.request.uri.path, body: bytes, visit.caller)
      } catch let failure as Failure where failure.isUnderWay && clock.uptime < deadline {
        try await clock.sleep(for: .milliseconds(100))
      } catch let failure as Failure where failure.code == .permissionDenied {
        return nil
      }
    }
  }

  /// Stores the page, or the path of a redirect, for replays. Only a success is stored.
  private func keep(_ response: Response, _ attempt: Idempotency.Attempt) async throws {
    if response.status == .seeOther, let location = response.headers[.location] {
      return try await useCases.requests.finish(attempt, status: 200, body: Array(location.utf8))
    }
    let page = WholeBody()
    try await response.body.write(page)
    guard response.status == .ok else { return try await useCases.requests.abandon(attempt) }
    try await useCases.requests.finish(attempt, status: 200, body: Array(page.buffer.readableBytesView))
  }

  private func replay(_ body: [UInt8], _ visit: Visit) -> Response {
    if body.first == UInt8(ascii: "/") {
      return response(.redirect(String(decoding: body, as: UTF8.self)), visit.visitor, visit)
    }
    return Layout.response(ByteBuffer(bytes: body), status: .ok)
  }

  private func form(of visitor: Visitor) async throws -> (Form, [UInt8]) {
    try requireOwnPage(visitor)
    let type = visitor.request.headers[.contentType] ?? ""
    let length = visitor.request.headers[.contentLength].flatMap { Int($0) }
    if let length, length > limits.bodyBytes { throw Rejection.bodyTooLarge }
    let buffer = try await visitor.request.body.collect(upTo: limits.bodyBytes)
    guard type.lowercased().hasPrefix(Form.mediaType), let form = Form(String(buffer: buffer)) else {
      throw FormRefused()
    }
    return (form, Array(buffer.readableBytesView))
  }

  /// Browsers send the origin of the page that contains the form.
  private func requireOwnPage(_ visitor: Visitor) throws {
    guard let origin = visitor.request.headers[.origin]?.lowercased() else { return }
    let reached = PublicURL(of: visitor.request, visitor.context.origin)
    let hosts = [publicURL?.authority, reached?.authority].compactMap { $0?.lowercased() }
    guard hosts.contains(where: { origin == "https://" + $0 || origin == "http://" + $0 }) else { throw FormRefused() }
  }

  // MARK: Replies

  private func response(_ answer: Answer, _ visitor: Visitor, _ visit: Visit?) -> Response {
    var response: Response
    switch answer {
    case .response(let whole): return whole
    case .redirect(let path): response = Response(status: .seeOther, headers: [.location: path])
    case .page(let page):
      response = Layout.response(
        ByteBuffer(string: Layout(visitor: visitor, visit: visit, assets: assets).html(of: page)), status: page.status)
      for field in page.headers { response.headers[field.name] = field.value }
    }
    response.headers[.cacheControl] = "no-store"
    if visitor.query.has("language") {
      Cookie.language.set(visitor.words.language.rawValue, isSecure: visitor.isSecure, in: &response)
    }
    return response
  }
}

/// The form comes from a page that is not ours, or is too old.
struct FormRefused: Error {}

/// The form must not be carried out twice, but there is no room to store its key.
struct FormNotRemembered: Error {}

/// Answered outside the panel, like a path that does not exist.
private struct HiddenPage: Error {
  let failure = Failure.notFound
}

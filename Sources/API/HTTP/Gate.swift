import Core
import Engine
import HTTPTypes
import Hummingbird

/// The requests that are counted together for the rate limit: those of an account, but of each kind of caller
/// separately, so that a runaway script does not lock people out.
struct RequestShare: Hashable {
  private let account: ID<Account>
  private let kind: Principal.Kind

  init(of caller: Caller) {
    account = caller.accountID
    kind = caller.principal.kind
  }
}

/// Finds the caller of a request, and checks permission and rate limit.
struct Gate: Sendable {
  private let authenticator: Authenticator
  private let requests: RateLimit<RequestShare>?
  private let loginFailures: ClientLimit?
  /// The limits of requests that were admitted.
  let limits: RequestLimits

  init(
    authenticator: Authenticator, limits: RequestLimits, sharedAttempts: (any AttemptStore)?, clock: any WallClock
  ) {
    self.authenticator = authenticator
    requests = RateLimit(perMinute: limits.requestsPerMinute, clock: clock)
    loginFailures = ClientLimit(
      perMinute: limits.loginFailuresPerMinute, purpose: "token", shared: sharedAttempts, clock: clock)
    self.limits = limits
  }

  /// Admits a request after checking first its token, then its permission, then the rate limit. A request that lacks a
  /// permission counts towards the limit, too.
  ///
  /// - Parameter permission: The permission that the use case behind the route requires, and checks itself. It is
  ///   checked here, too, so that a missing permission is reported before any other error.
  func admit(_ request: Request, _ context: APIContext, permission: Permission?) async throws -> Caller {
    let caller = try await caller(of: request, context)
    context.subject.note(caller.accountID)
    let allowance = requests?.take(RequestShare(of: caller))
    context.allowance.note(allowance)
    if permission?.resource == .operator, caller.principal.kind != .operator {
      // For everybody else, operators' routes do not exist.
      try allowance?.throwIfRefused()
      throw Failure.notFound
    }
    if let permission { try caller.require(permission) }
    try allowance?.throwIfRefused()
    return caller
  }

  /// Nil where the request bears no token, or none that can be valid.
  func tokenHash(of request: Request) -> TokenHash? {
    (try? Self.token(in: request)).flatMap { TokenText($0)?.hash }
  }

  /// The caller that the token belongs to, if it is known without asking the store.
  func knownCaller(bearing token: TokenHash) -> Caller? { authenticator.knownCaller(bearing: token) }

  /// Counts a request against the limit.
  func count(_ caller: Caller) -> Allowance? { requests?.take(RequestShare(of: caller)) }

  /// Whether the token that began a long reply is still valid.
  func stillAdmits(_ request: Request, _ context: APIContext) async -> Bool {
    (try? await caller(of: request, context)) != nil
  }

  /// A valid token is always accepted, whatever other clients at the same address do.
  private func caller(of request: Request, _ context: APIContext) async throws -> Caller {
    do {
      return try await authenticator.caller(bearing: Self.token(in: request)).from(context.origin.address)
    } catch let failure as Failure where failure.code == .credentialsInvalid {
      try await loginFailures?.take(context.origin.client)
      throw failure
    }
  }

  private static func token(in request: Request) throws -> Substring {
    guard let header = request.headers[.authorization] else { throw Failure.credentialsMissing }
    let parts = header.split(separator: " ", omittingEmptySubsequences: true)
    guard let scheme = parts.first, scheme.lowercased() == "bearer" else { throw Failure.credentialsMissing }
    guard parts.count > 1 else { throw Rejection.credentialsEmpty }
    guard parts.count == 2 else { throw Failure.tokenInvalid }
    return parts[1]
  }
}

import Core
import Engine
import HTTPTypes
import Hummingbird

/// Whose requests are counted together: those of an account, but each kind of caller apart, so that no script that runs away
/// keeps people out.
struct RequestShare: Hashable {
  private let account: ID<Account>
  private let kind: Principal.Kind

  init(of caller: Caller) {
    account = caller.accountID
    kind = caller.principal.kind
  }
}

/// Tells who a request comes from, and whether it is one too many.
struct Gate: Sendable {
  private let authenticator: Authenticator
  private let requests: RateLimit<RequestShare>?
  private let loginFailures: ClientLimit?
  /// Those of the requests that were let in.
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

  /// Lets a request through to what it asks for: first who, then whether they may, then whether not too often. One that is
  /// refused for want of a permission counts too.
  ///
  /// - Parameter permission: What the use case behind the route names, and holds its caller to, whoever calls it. It is asked
  ///   here because a want of it is told before all else that may be wrong.
  func admit(_ request: Request, _ context: APIContext, permission: Permission?) async throws -> Caller {
    let caller = try await caller(of: request, context)
    context.subject.note(caller.accountID)
    let allowance = requests?.take(RequestShare(of: caller))
    context.allowance.note(allowance)
    if permission?.resource == .operator, caller.principal.kind != .operator {
      // What is an operator's is for everybody else as if it were not there.
      try allowance?.throwIfRefused()
      throw Failure.notFound
    }
    if let permission { try caller.require(permission) }
    try allowance?.throwIfRefused()
    return caller
  }

  /// Whether the token that began a long reply is still valid.
  func stillAdmits(_ request: Request, _ context: APIContext) async -> Bool {
    (try? await caller(of: request, context)) != nil
  }

  /// Whoever has a valid token is let in, whatever others at the same address do.
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

import Core
import Engine
import HTTPTypes
import Hummingbird

/// Tells who a request comes from.
struct Gate: Sendable {
  let authenticator: Authenticator

  func caller(of request: Request) async throws -> Caller {
    guard let header = request.headers[.authorization] else { throw Failure.credentialsMissing }
    let parts = header.split(separator: " ", omittingEmptySubsequences: true)
    guard let scheme = parts.first, scheme.lowercased() == "bearer" else { throw Failure.credentialsMissing }
    guard parts.count > 1 else { throw Rejection.credentialsEmpty }
    guard parts.count == 2 else { throw Failure.tokenInvalid }
    return try await authenticator.caller(bearing: parts[1])
  }
}

import Core
import Foundation
import HTTPTypes
import Hummingbird
import Logging

/// Wraps every request: gives it an id, turns every error into a reply, and logs it.
struct Envelope: RouterMiddleware {
  private static let requestIDHeader = HTTPField.Name("X-Request-ID")!

  let routes: RouteTable
  /// The paths that anyone may read, with GET and HEAD only.
  let openPaths: Set<String>
  let pages: (any WebPages)?
  let gate: Gate
  let proxies: TrustedProxies
  /// Nil if requests are not counted.
  let figures: RequestFigures?
  let logger: Logger

  func handle(
    _ request: Request, context: APIContext, next: (Request, APIContext) async throws -> Response
  ) async throws -> Response {
    var context = context
    context.requestID = Self.requestID(of: request)
    context.origin = proxies.origin(peer: context.peer) { name in
      HTTPField.Name(name).map { request.headers[values: $0] } ?? []
    }
    let started = ContinuousClock.now
    var response: Response
    do {
      response = try await next(request, context)
    } catch {
      response = await self.response(to: error, request, context)
    }
    // The reply to HEAD must have no body: the client would take it for the next reply.
    if request.method == .head { response = response.createHeadResponse() }
    response.headers[Self.requestIDHeader] = context.requestID
    context.allowance.write(to: &response.headers)
    let duration = ContinuousClock.now - started
    figures?.count(request.method, context.endpointPath, status: response.status.code, after: duration)
    log(request, response.status.code, duration, context)
    return response
  }

  private func response(to error: any Error, _ request: Request, _ context: APIContext) async -> Response {
    var error = error
    if let unrouted = error as? HTTPError, unrouted.status == .notFound {
      do { try await refuseUnrouted(request, context) } catch let reason { error = reason }
    }
    let page = pages?.response(to: error, request, context)
    let response = page ?? ErrorTable.response(to: error, requestID: context.requestID)
    if response.status == .internalServerError || error is StoreUnavailable {
      logger.error(
        "request failed", metadata: ["request": "\(context.requestID)", "error": "\(String(reflecting: error))"])
    }
    return response
  }

  /// Throws the reason why no route matches. A client without a token learns only that it needs one; otherwise the
  /// method or the path is wrong.
  private func refuseUnrouted(_ request: Request, _ context: APIContext) async throws {
    let path = request.uri.path
    if openPaths.contains(path.count > 1 && path.last == "/" ? String(path.dropLast()) : path) {
      throw Rejection.methodNotAllowed(method: request.method.rawValue, allowed: ["GET", "HEAD"])
    }
    guard request.uri.path.hasPrefix(RouteTable.basePath) else { throw Failure.notFound }
    let caller = try await gate.admit(request, context, permission: nil)
    let allowed = routes.methods(at: request.uri.path, for: caller)
    guard allowed.isEmpty else {
      throw Rejection.methodNotAllowed(method: request.method.rawValue, allowed: allowed)
    }
    throw Failure.notFound
  }

  private func log(_ request: Request, _ status: Int, _ duration: Duration, _ context: APIContext) {
    let level: Logger.Level = status >= 500 ? .error : request.method == .get ? .debug : .info
    guard level >= logger.logLevel else { return }
    var metadata: Logger.Metadata = [
      "request": "\(context.requestID)", "method": "\(request.method.rawValue)",
      "path": "\(request.uri.path.escaped(atMost: 200))", "status": "\(status)",
      "milliseconds": "\(duration.milliseconds)", "from": "\(context.origin.address)",
    ]
    if let account = context.subject.account { metadata["account"] = "\(account)" }
    if let server = context.subject.server { metadata["server"] = "\(server.escaped(atMost: 64))" }
    logger.log(level: level, "request", metadata: metadata)
  }

  /// The caller's id of the request, if it is short and plain; otherwise a new one.
  static func requestID(of request: Request) -> String {
    if let given = request.headers[requestIDHeader], (1...128).contains(given.utf8.count),
      given.utf8.allSatisfy({ byte in
        (48...57).contains(byte) || (65...90).contains(byte) || (97...122).contains(byte)
          || byte == UInt8(ascii: "-") || byte == UInt8(ascii: "_") || byte == UInt8(ascii: ".")
      })
    {
      return given
    }
    return UUID().text
  }
}

import Core
import Foundation
import HTTPTypes
import Hummingbird
import Logging
import NIOCore

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
  /// Nil if no replies are kept.
  let memory: RepliesInMemory?
  let logger: Logger

  func handle(
    _ request: Request, context: APIContext, next: (Request, APIContext) async throws -> Response
  ) async throws -> Response {
    var context = context
    context.requestID = Self.givenID(of: request) ?? UUID.random().text
    context.origin = origin(of: request, from: context.peer)
    let started = ContinuousClock.now
    var response: Response
    do {
      response = try await next(request, context)
    } catch {
      response = await self.response(to: error, request, context)
    }
    // The reply to HEAD must have no body: the client would take it for the next reply.
    if request.method == .head { response = response.createHeadResponse() }
    let exchange = Exchange(
      requestID: context.requestID, origin: context.origin, account: context.subject.account,
      server: context.subject.server, allowance: context.allowance.noted, path: context.endpointPath, started: started)
    finish(exchange, request, response.status, &response.headers)
    return response
  }

  /// A request without a body, if its reply may be in memory.
  func question(_ head: HTTPRequest, from peer: String) -> RepliesInMemory.Question? {
    guard let memory, RepliesInMemory.mayAnswer(head) else { return nil }
    let request = Request(head: head, body: RequestBody(buffer: ByteBuffer()))
    guard let token = gate.tokenHash(of: request) else { return nil }
    let origin = origin(of: request, from: peer)
    return memory.question(request, bearing: token, from: origin, id: Self.givenID(of: request))
  }

  /// The reply that `memory` has; nil if the routes must answer.
  func replyInMemory(to question: RepliesInMemory.Question) -> (head: HTTPResponse, body: ByteBuffer?)? {
    let started = ContinuousClock.now
    guard let (kept, caller, allowance) = memory?.reply(to: question) else { return nil }
    var head = HTTPResponse(status: .ok, headerFields: kept.headers)
    if question.isConditional {
      let whole = Response(status: .ok, headers: kept.headers, body: ResponseBody(byteBuffer: kept.body))
      head = Precondition.applied(to: whole, of: question.request).head
    }
    let exchange = Exchange(
      requestID: question.requestID ?? UUID.random().text, origin: question.origin, account: caller.accountID,
      server: kept.server, allowance: allowance, path: kept.path, started: started)
    finish(exchange, question.request, head.status, &head.headerFields)
    return (head, head.status == .ok ? kept.body : nil)
  }

  private func origin(of request: Request, from peer: String) -> RequestOrigin {
    proxies.origin(peer: peer) { name in HTTPField.Name(name).map { request.headers[values: $0] } ?? [] }
  }

  /// What is known of a request when it is answered.
  private struct Exchange {
    let requestID: String
    let origin: RequestOrigin
    let account: ID<Account>?
    /// As the request names it.
    let server: String?
    let allowance: Allowance?
    /// The template of the route; nil if there is none.
    let path: String?
    let started: ContinuousClock.Instant
  }

  private func finish(
    _ exchange: Exchange, _ request: Request, _ status: HTTPResponse.Status, _ headers: inout HTTPFields
  ) {
    headers[Self.requestIDHeader] = exchange.requestID
    exchange.allowance?.write(to: &headers)
    let duration = ContinuousClock.now - exchange.started
    figures?.count(request.method, exchange.path, status: status.code, after: duration)
    log(request, status.code, duration, exchange)
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

  private func log(_ request: Request, _ status: Int, _ duration: Duration, _ exchange: Exchange) {
    let level: Logger.Level = status >= 500 ? .error : request.method == .get ? .debug : .info
    guard level >= logger.logLevel else { return }
    var metadata: Logger.Metadata = [
      "request": "\(exchange.requestID)", "method": "\(request.method.rawValue)",
      "path": "\(request.uri.path.escaped(atMost: 200))", "status": "\(status)",
      "milliseconds": "\(duration.milliseconds)", "from": "\(exchange.origin.address)",
    ]
    if let account = exchange.account { metadata["account"] = "\(account)" }
    if let server = exchange.server { metadata["server"] = "\(server.escaped(atMost: 64))" }
    logger.log(level: level, "request", metadata: metadata)
  }

  /// The caller's id of the request, if it is short and plain.
  private static func givenID(of request: Request) -> String? {
    if let given = request.headers[requestIDHeader], (1...128).contains(given.utf8.count),
      given.utf8.allSatisfy({ byte in
        (48...57).contains(byte) || (65...90).contains(byte) || (97...122).contains(byte)
          || byte == UInt8(ascii: "-") || byte == UInt8(ascii: "_") || byte == UInt8(ascii: ".")
      })
    {
      return given
    }
    return nil
  }
}

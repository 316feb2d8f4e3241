import Core
import Engine
import HTTPTypes
import Hummingbird
import NIOCore

/// Carries out a POST request with an `Idempotency-Key` once, and answers every repetition with the first answer. A
/// request that was refused has changed nothing, so that its repetition is carried out.
struct IdempotencyHeader: Sendable {
  private static let keyHeader = HTTPField.Name("Idempotency-Key")!
  private static let replayedHeader = HTTPField.Name("Idempotent-Replayed")!

  let requests: Idempotency

  func respond(
    to request: APIRequest, _ handle: @Sendable (APIRequest) async throws -> Response
  ) async throws -> Response {
    guard request.request.method == .post, let key = request.request.headers[Self.keyHeader] else {
      return try await handle(request)
    }
    let body = try await request.wholeBody()
    let beginning = try await requests.begin(
      key: key, method: "POST", path: request.target, body: Array(body.readableBytesView), request.caller)
    switch beginning {
    case .answered(let status, let body):
      var response = Response.json(ByteBuffer(bytes: body), status: .init(code: status))
      response.headers[Self.replayedHeader] = "true"
      // Some answers contain secrets, and which ones is not stored.
      response.headers[.cacheControl] = "no-store"
      return response
    case .first(let attempt):
      return try await carryOut(attempt, request.replacing(caller: attempt.caller, body: body), handle)
    }
  }

  private func carryOut(
    _ attempt: Idempotency.Attempt, _ request: APIRequest,
    _ handle: @Sendable (APIRequest) async throws -> Response
  ) async throws -> Response {
    let response: Response
    do {
      response = try await handle(request)
    } catch {
      try await requests.abandon(attempt)
      throw error
    }
    let body = try await response.body.bytes()
    if response.status.kind == .successful {
      // The work is done, and the client gets its answer even if it cannot be stored: a repetition is then told that it
      // was done.
      try? await requests.finish(attempt, status: response.status.code, body: body)
    } else {
      try await requests.abandon(attempt)
    }
    return Response(
      status: response.status, headers: response.headers, body: ResponseBody(byteBuffer: ByteBuffer(bytes: body)))
  }
}

import Core
import HTTPTypes
package import Hummingbird
import NIOCore

/// The one place where an error becomes a status and a body. No cause, path or query ever shows in a reply.
package enum ErrorTable {
  package static func response(to error: any Error, requestID: String) -> Response {
    switch error {
    case let failure as Failure: response(to: failure, requestID: requestID)
    case let rejection as Rejection: response(to: rejection)
    case let errors as WireErrors: response(to: errors)
    case is StoreUnavailable:
      detail(.serviceUnavailable, "The service cannot do this at the moment. Try again later.", [.retryAfter: "10"])
    case let error as HTTPError where error.status == .contentTooLarge: response(to: Rejection.bodyTooLarge)
    case let error as HTTPError where error.status == .notFound: response(to: Failure.notFound, requestID: requestID)
    case is NIOTooManyBytesError: response(to: Rejection.bodyTooLarge)
    default: response(to: Failure.internalError("unexpected"), requestID: requestID)
    }
  }

  private static func response(to failure: Failure, requestID: String) -> Response {
    switch failure.code {
    case .credentialsMissing, .credentialsInvalid:
      detail(.unauthorized, failure.message, [.wwwAuthenticate: "Bearer"])
    case .permissionDenied: detail(.forbidden, failure.message)
    case .notFound: detail(.notFound, failure.message)
    case .invalidFields(let errors): response(to: WireErrors(errors))
    case .invalidRequest, .wrongState: detail(.badRequest, failure.message)
    case .conflict: detail(.conflict, failure.message)
    case .unprocessable: detail(.unprocessableContent, failure.message)
    case .preconditionFailed: detail(.preconditionFailed, failure.message)
    case .insufficientCredit: detail(.init(code: 402, reasonPhrase: "Payment Required"), failure.message)
    case .noCapacity: detail(.serviceUnavailable, failure.message, [.retryAfter: "60"])
    case .unavailable(let seconds): detail(.serviceUnavailable, failure.message, [.retryAfter: String(seconds)])
    case .internalError:
      .json(
        JSONWriter.object { writer in
          writer.field("detail", "Internal server error.")
          writer.field("request_id", requestID)
        }, status: .internalServerError)
    }
  }

  private static func response(to errors: WireErrors) -> Response {
    .json(JSONWriter.object { writer in errors.write(to: &writer) }, status: .badRequest)
  }

  private static func response(to rejection: Rejection) -> Response {
    switch rejection {
    case .credentialsEmpty:
      detail(.unauthorized, "Invalid token header. No credentials provided.", [.wwwAuthenticate: "Bearer"])
    case .throttled(let seconds):
      detail(
        .tooManyRequests,
        "Request was throttled. Expected available in \(seconds) second\(seconds == 1 ? "" : "s").",
        [.retryAfter: String(seconds)])
    case .methodNotAllowed(let method, let allowed):
      detail(
        .methodNotAllowed, "Method \(method.quoted) not allowed.", [.allow: allowed.joined(separator: ", ")])
    case .notAcceptable: detail(.notAcceptable, "Could not satisfy the request Accept header.")
    case .unsupportedMediaType(let type):
      detail(.unsupportedMediaType, "Unsupported media type \(type.quoted) in request.")
    case .unsupportedContentCoding:
      detail(
        .unsupportedMediaType, "A body must not be compressed: Content-Encoding can only be identity.",
        [.acceptEncoding: "identity"])
    case .unknownExpectation: detail(.expectationFailed, "Expect can only be 100-continue.")
    case .tooManyStreams(let limit):
      detail(
        .tooManyRequests, "Event stream limit of your account reached (\(limit)). Close one first.",
        [.retryAfter: "15"])
    case .bodyTooLarge: detail(.contentTooLarge, "Request body too large.")
    case .bodyIncomplete: detail(.badRequest, "The request body is incomplete.")
    case .parseError(let message): detail(.badRequest, "JSON parse error - \(message)")
    case .upgradeRequired:
      detail(.upgradeRequired, "This path takes WebSocket connections only.", [.upgrade: "websocket"])
    case .notAnObject(let typeName):
      .json(
        JSONWriter.object { writer in
          writer.field(
            named: "non_field_errors", ["Invalid data. Expected a dictionary, but got \(typeName)."])
        }, status: .badRequest)
    }
  }

  private static func detail(
    _ status: HTTPResponse.Status, _ message: String, _ headers: [HTTPField.Name: String] = [:]
  ) -> Response {
    var response = Response.json(JSONWriter.object { $0.field("detail", message) }, status: status)
    for (name, value) in headers { response.headers[name] = value }
    return response
  }
}

extension Response {
  static func json(_ body: ByteBuffer, status: HTTPResponse.Status = .ok) -> Response {
    Response(
      status: status, headers: [.contentType: "application/json"], body: ResponseBody(byteBuffer: body))
  }
}

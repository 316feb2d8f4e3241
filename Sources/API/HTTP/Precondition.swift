import Core
import HTTPTypes
import Hummingbird

/// `If-Match` and `If-None-Match` of RFC 9110: conditions for carrying out a request. Whatever the method, they are
/// followed or refused: a client that sets a condition must not be served without it. Conditions on times are ignored,
/// because no reply tells when something was modified.
enum Precondition {
  /// Checks a request that changes something, before it is carried out.
  ///
  /// - Parameter hasTag: Whether what it changes has an entity tag, which its handler compares.
  static func check(_ request: Request, hasTag: Bool) throws(Failure) {
    guard request.method != .get, request.method != .head else { return }
    if request.headers[.ifNoneMatch] != nil {
      throw Failure(.preconditionFailed, "If-None-Match can be used with GET and HEAD only.")
    }
    if !hasTag, let tags = Tags(request.headers[values: .ifMatch]), !tags.isAny {
      throw Failure(.preconditionFailed, "If-Match matches nothing here: it has no ETag.")
    }
  }

  /// Applies the conditions to the successful reply of a request that only reads.
  static func applied(to response: Response, of request: Request) -> Response {
    guard request.method == .get || request.method == .head, response.status == .ok else { return response }
    let tag = response.headers[.eTag]
    if let wanted = Tags(request.headers[values: .ifMatch]), !wanted.match(stateOf: tag) {
      return ErrorTable.response(
        to: Failure(.preconditionFailed, "It is not as If-Match says."), requestID: "")
    }
    if let known = Tags(request.headers[values: .ifNoneMatch]), known.match(tag) {
      var headers = response.headers
      headers[.contentType] = nil
      headers[.contentLength] = nil
      return Response(status: .notModified, headers: headers)
    }
    return response
  }

  /// The tags of a header; nil if the request does not have it.
  private struct Tags {
    let isAny: Bool
    let tags: [Substring]

    init?(_ lines: [String]) {
      guard !lines.isEmpty else { return nil }
      tags = lines.flatMap(\.listElements)
      isAny = tags.contains { $0.utf8.elementsEqual("*".utf8) }
    }

    func match(stateOf tag: String?) -> Bool {
      guard !isAny else { return true }
      guard let state = tag.map(EntityTag.state) else { return false }
      return tags.contains { $0.utf8.first == UInt8(ascii: "\"") && EntityTag.state(of: $0).elementsEqual(state) }
    }

    func match(_ tag: String?) -> Bool {
      guard !isAny else { return true }
      guard let tag else { return false }
      return tags.contains { text in
        let isWeak = text.utf8.starts(with: "W/".utf8)
        return text.utf8.dropFirst(isWeak ? 2 : 0).elementsEqual(tag.utf8)
      }
    }
  }
}

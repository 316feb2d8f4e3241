import API
import Core
import Engine
import HTTPTypes
import Hummingbird

/// A request before its session is verified.
struct Visitor: Sendable {
  let request: Request
  let context: APIContext
  let words: Words
  /// Whether the browser reached us by https.
  let isSecure: Bool
  /// The query of the requested URL.
  let query: Form

  init(_ request: Request, _ context: APIContext, publicURL: PublicURL?) {
    self.request = request
    self.context = context
    query = request.uri.query.flatMap { Form($0) } ?? Form()
    isSecure = publicURL?.isSecure ?? context.origin.isSecure
    words = Words(language: Language(askedBy: request, query: query["language"], isSecure: isSecure))
  }

  /// The session that the browser's cookie names, which is not verified yet.
  var session: SessionText? { Cookie.session.value(in: request, isSecure: isSecure).flatMap { SessionText($0) } }

  var browser: Sessions.Browser {
    Sessions.Browser(name: BrowserName.of(request.headers[.userAgent] ?? ""), origin: context.origin.address)
  }

  /// The ID in the path. Throws `notFound` if it is not a valid ID.
  func id<Entity>(_ name: Substring = "id") throws(Failure) -> ID<Entity> {
    guard let text = context.parameters.get(String(name)), case .id(let id)? = Reference<Entity>(text) else {
      throw .notFound
    }
    return id
  }
}

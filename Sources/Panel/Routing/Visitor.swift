import API
import Core
import Engine
import HTTPTypes
import Hummingbird

/// A request of somebody of whom nothing is known.
struct Visitor: Sendable {
  let request: Request
  let context: APIContext
  let words: Words
  /// Whether the browser reached us by https.
  let isSecure: Bool
  /// What follows the question mark.
  let query: Form

  init(_ request: Request, _ context: APIContext, publicURL: PublicURL?) {
    self.request = request
    self.context = context
    query = request.uri.query.flatMap { Form($0) } ?? Form()
    isSecure = publicURL?.isSecure ?? context.origin.isSecure
    words = Words(language: Language(askedBy: request, query: query["language"], isSecure: isSecure))
  }

  /// What the browser says that it is signed in by.
  var session: SessionText? { Cookie.session.value(in: request, isSecure: isSecure).flatMap { SessionText($0) } }

  var browser: Sessions.Browser {
    Sessions.Browser(name: BrowserName.of(request.headers[.userAgent] ?? ""), origin: context.origin.address)
  }

  /// A number of the path; what can be none is not found.
  func id<Entity>(_ name: Substring = "id") throws(Failure) -> ID<Entity> {
    guard let text = context.parameters.get(String(name)), case .id(let id)? = Reference<Entity>(text) else {
      throw .notFound
    }
    return id
  }
}

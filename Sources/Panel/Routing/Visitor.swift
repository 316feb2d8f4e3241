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
    words = Words(language: Self.language(of: request, query, isSecure: isSecure))
  }

  /// What was chosen last, or else what the browser asks for.
  private static func language(of request: Request, _ query: Form, isSecure: Bool) -> Language {
    let chosen = query["language"] ?? Cookie.language.value(in: request, isSecure: isSecure)
    if let chosen, chosen.isPlain(atMost: 8), let language = Language(rawValue: chosen) { return language }
    let wanted = (request.headers[.acceptLanguage] ?? "").utf8.prefix(200).split(separator: UInt8(ascii: ","))
    for range in wanted {
      let tag = String(decoding: range.filter { $0 != UInt8(ascii: " ") }.prefix(2), as: UTF8.self).lowercased()
      if let language = Language(rawValue: tag) { return language }
    }
    return .english
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

import HTTPTypes
import Hummingbird

/// One method of one path of the panel, and who may use it.
struct PanelRoute: Sendable {
  enum Handler: Sendable {
    /// For anybody.
    case open(@Sendable (Visitor) async throws -> Answer)
    /// For people who are signed in; anybody else is sent to sign in.
    case signedIn(@Sendable (Visit) async throws -> Answer)
    /// The same for a form that changes something: sent twice, it is carried out once and answered twice.
    case once(@Sendable (Visit) async throws -> Answer)
  }

  let method: HTTPRequest.Method
  /// `/servers/{id}`
  let path: String
  let handler: Handler
  /// Whether the page does not exist for anybody but operators.
  var isForOperators = false
  /// Whether a form without a key is refused, because carrying it out twice would be worse than not at all.
  var needsKey = false

  static func get(_ path: String, _ handle: @escaping @Sendable (Visit) async throws -> Answer) -> PanelRoute {
    PanelRoute(method: .get, path: path, handler: .signedIn(handle))
  }

  static func post(_ path: String, _ handle: @escaping @Sendable (Visit) async throws -> Answer) -> PanelRoute {
    PanelRoute(method: .post, path: path, handler: .once(handle))
  }
}

/// The answer to a request.
enum Answer: Sendable {
  case page(Page)
  /// A redirect to a path of the panel, which the browser requests by GET.
  case redirect(String)
  case response(Response)
}

import HTTPTypes
import Hummingbird

/// One method of one path of the panel, and who is let in.
struct PanelRoute: Sendable {
  enum Handler: Sendable {
    /// For anybody.
    case open(@Sendable (Visitor) async throws -> Answer)
    /// For whoever is signed in; anybody else is sent to sign in.
    case signedIn(@Sendable (Visit) async throws -> Answer)
    /// The same for what changes something: sent twice, it is done once, and answered twice.
    case once(@Sendable (Visit) async throws -> Answer)
  }

  let method: HTTPRequest.Method
  /// `/servers/{id}`
  let path: String
  let handler: Handler
  /// Whether there is no such page for anybody else.
  var isForOperators = false
  /// Whether a form that cannot be told from one that was sent before is refused: done twice, it is worse than not done.
  var needsKey = false

  static func get(_ path: String, _ handle: @escaping @Sendable (Visit) async throws -> Answer) -> PanelRoute {
    PanelRoute(method: .get, path: path, handler: .signedIn(handle))
  }

  static func post(_ path: String, _ handle: @escaping @Sendable (Visit) async throws -> Answer) -> PanelRoute {
    PanelRoute(method: .post, path: path, handler: .once(handle))
  }
}

/// What a request is answered with.
enum Answer: Sendable {
  case page(Page)
  /// To a path of the panel, which the browser gets.
  case redirect(String)
  case response(Response)
}

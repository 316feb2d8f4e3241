package import Hummingbird

/// Web pages for people, served by the same listener as the API.
package protocol WebPages: Sendable {
  /// The paths that anybody may read, with GET and HEAD only.
  var openPaths: Set<String> { get }
  /// Registers the routes of the pages. An error that they throw becomes a reply of the API, unless `response` has a
  /// page for it.
  func register(on router: Router<APIContext>)
  /// A page about an error; nil if the API should reply instead.
  func response(to error: any Error, _ request: Request, _ context: APIContext) -> Response?
}

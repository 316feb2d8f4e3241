package import Hummingbird

/// Pages for people beside the API, under the same listener.
package protocol WebPages: Sendable {
  /// What only GET and HEAD can be done with, and anybody may see.
  var openPaths: Set<String> { get }
  /// Adds all that they answer: whatever is thrown there becomes the API's reply, unless there is a page for it.
  func register(on router: Router<APIContext>)
  /// A page about what went wrong; nil for whoever wants none, or none of these.
  func response(to error: any Error, _ request: Request, _ context: APIContext) -> Response?
}

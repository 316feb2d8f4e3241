import Core
import Engine
import HTTPTypes
import Hummingbird

struct ConsoleRoutes {
  let consoles: Consoles
  let servers: Servers

  var endpoints: [Endpoint] {
    [Endpoint(.post, "/servers/{id}/console/", Consoles.toOpen, handle: issueTicket)]
  }

  @Sendable private func issueTicket(_ request: APIRequest) async throws -> Response {
    let id = try await servers.id(of: try request.reference(), request.caller)
    try await servers.requireExists(id, request.caller)
    try await request.ignoreBody()
    guard let base = request.publicURL else {
      throw Failure(.invalidRequest, "The Host header must name the host that you reach this service at.")
    }
    let issued = try await consoles.issueTicket(for: id, request.caller)
    var response = Response.json(ConsoleWire.issued(issued, base), status: .created)
    response.headers[.cacheControl] = "no-store"
    return response
  }
}

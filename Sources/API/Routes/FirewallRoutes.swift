import Core
import Engine
import HTTPTypes
import Hummingbird

struct FirewallRoutes {
  let firewalls: Firewalls
  let servers: Servers

  var endpoints: [Endpoint] {
    [
      Endpoint(.get, "/servers/{id}/firewall/", Firewalls.toRead, handle: read),
      Endpoint(.put, "/servers/{id}/firewall/", Firewalls.toChange, hasTag: true, handle: replace),
    ]
  }

  @Sendable private func read(_ request: APIRequest) async throws -> Response {
    let id = try await servers.id(of: try request.reference(), request.caller)
    return Self.response(try await firewalls.read(id, request.caller))
  }

  @Sendable private func replace(_ request: APIRequest) async throws -> Response {
    let id = try await servers.id(of: try request.reference(), request.caller)
    try await servers.requireExists(id, request.caller)
    var fields = try await request.fields()
    let firewall = FirewallBody(request.gate.limits).firewall(from: &fields)
    try fields.errors.throwIfAny(order: ["enabled", "rules"])
    guard let firewall else { throw Failure.internalError("A body without errors lacks its firewall.") }
    var view = try await firewalls.replace(id, with: firewall, ifTagged: request.wantedTags, request.caller)
    let wait = Preference.wait(of: request.request)
    if let wait { view = (try? await firewalls.settled(view, within: .seconds(wait), request.caller)) ?? view }
    var response = Self.response(view)
    Preference.note(wait, in: &response)
    return response
  }

  private static func response(_ view: Firewalls.View) -> Response {
    var response = Response.json(FirewallWire.firewall(view))
    response.headers[.eTag] = "\"\(Firewalls.tag(of: view.stored))\""
    return response
  }
}

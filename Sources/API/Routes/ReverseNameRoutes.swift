import Core
import Engine
import HTTPTypes
import Hummingbird

struct ReverseNameRoutes {
  let reverseNames: ReverseNames
  let servers: Servers

  var endpoints: [Endpoint] {
    [
      Endpoint(.get, "/servers/{id}/rdns/", ReverseNames.toRead, handle: list),
      Endpoint(.put, "/servers/{id}/rdns/", ReverseNames.toChange, handle: change),
    ]
  }

  @Sendable private func list(_ request: APIRequest) async throws -> Response {
    let id = try await servers.id(of: try request.reference(), request.caller)
    return Response.json(ReverseNameWire.list(try await reverseNames.list(id, request.caller)))
  }

  @Sendable private func change(_ request: APIRequest) async throws -> Response {
    let id = try await servers.id(of: try request.reference(), request.caller)
    try await reverseNames.requireExists(id, request.caller)
    var fields = try await request.fields()
    let address = fields.string("ip_address", isRequired: true)
    let name = fields.string("ptr", isRequired: true, isNullable: true)
    let draft = ReverseNames.Draft(address: address, name: name, isWhole: fields.isWhole)
    return try await fields.carryOut(order: ["ip_address", "ptr"]) {
      Response.json(ReverseNameWire.element(try await reverseNames.change(id, draft, request.caller)))
    }
  }
}

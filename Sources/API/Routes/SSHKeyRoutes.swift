import Core
import Engine
import Foundation
import Hummingbird
import NIOCore

struct SSHKeyRoutes {
  let keys: SSHKeys

  private static let read = SSHKeys.toRead
  private static let write = SSHKeys.toChange

  var endpoints: [Endpoint] {
    [
      Endpoint(.get, "/ssh-keys/", Self.read, handle: list),
      Endpoint(.post, "/ssh-keys/", Self.write, handle: create),
      Endpoint(.get, "/ssh-keys/{id}/", Self.read) { request in
        .json(Self.body(try await keys.read(try await id(of: request), request.caller)))
      },
      Endpoint(.delete, "/ssh-keys/{id}/", Self.write) { request in
        try await keys.delete(try await id(of: request), request.caller)
        return Response(status: .noContent)
      },
    ]
  }

  @Sendable private func list(_ request: APIRequest) async throws -> Response {
    var errors = WireErrors()
    let order = try request.order(by: SSHKeyKey.allCases, &errors)
    try errors.throwIfAny()
    let page = try await keys.list(
      named: try request.query("name"), order: order, page: try request.page(), request.caller)
    return request.list(page, Self.key)
  }

  @Sendable private func create(_ request: APIRequest) async throws -> Response {
    var fields = try await request.fields()
    var draft = SSHKeys.Draft(
      name: fields.string("name", isRequired: true), publicKey: fields.string("public_key", isRequired: true))
    draft.isWhole = fields.isWhole
    let key = try await fields.carryOut(order: ["name", "public_key"]) {
      try await keys.create(draft, request.caller)
    }
    return .json(Self.body(key), status: .created)
  }

  private func id(of request: APIRequest) async throws -> ID<SSHKey> {
    try await keys.id(of: try request.reference(), request.caller)
  }

  private static func body(_ key: SSHKey) -> ByteBuffer {
    var writer = JSONWriter()
    self.key(&writer, key)
    return writer.buffer
  }

  private static func key(_ writer: inout JSONWriter, _ key: SSHKey) {
    writer.object { writer in
      writer.field("id", key.id.value)
      writer.field("uuid", key.uuid.text)
      writer.field("name", key.name)
      writer.field("fingerprint", key.fingerprint)
      writer.field("public_key", key.publicKey)
      writer.field("created_at", key.createdAt)
      writer.field("last_used_at", key.lastUsedAt)
    }
  }
}

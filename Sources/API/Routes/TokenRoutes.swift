import Core
import Engine
import Hummingbird
import NIOCore

/// The tokens of an account, and what a token can learn about itself.
struct TokenRoutes {
  let tokens: Tokens
  let profiles: Profiles

  private static let read = Tokens.toRead
  private static let write = Tokens.toChange

  var endpoints: [Endpoint] {
    [
      Endpoint(.get, "/tokens/", Self.read, handle: list),
      Endpoint(.post, "/tokens/", Self.write, handle: create),
      Endpoint(.get, "/tokens/{id}/", Self.read) { try await read($0, try $0.id()) },
      Endpoint(.delete, "/tokens/{id}/", Self.write) { try await revoke($0, try $0.id()) },
      Endpoint(.get, "/account/me/", nil, handle: me),
    ]
  }

  @Sendable func list(_ request: APIRequest) async throws -> Response {
    var errors = WireErrors()
    let order = try request.order(by: TokenKey.allCases, &errors)
    try errors.throwIfAny()
    let page = try await tokens.list(
      named: try request.query("name"), order: order, page: try request.page(), request.caller)
    return request.list(page, Self.token)
  }

  func read(_ request: APIRequest, _ id: ID<Token>) async throws -> Response {
    let token = try await tokens.read(id, request.caller)
    var writer = JSONWriter()
    Self.token(&writer, token)
    return .json(writer.buffer)
  }

  func revoke(_ request: APIRequest, _ id: ID<Token>) async throws -> Response {
    try await tokens.revoke(id, request.caller)
    return Response(status: .noContent)
  }

  @Sendable func create(_ request: APIRequest) async throws -> Response {
    var fields = try await request.fields()
    var draft = Tokens.Draft(
      name: fields.string("name", isRequired: true),
      permissions: fields.strings("permissions"),
      expiresAt: fields.string("expires_at", isRequired: false, isNullable: true))
    draft.isWhole = fields.isWhole
    let created = try await fields.carryOut(order: ["name", "permissions", "expires_at"]) {
      try await tokens.create(draft, request.caller)
    }
    return .json(
      JSONWriter.object { writer in
        Self.fields(&writer, created.token)
        writer.field("token", created.text.text)
        writer.field("parent_id", created.token.parentID?.value)
      }, status: .created)
  }

  @Sendable private func me(_ request: APIRequest) async throws -> Response {
    let profile = try await profiles.read(request.caller)
    let (account, token) = (profile.account, profile.token)
    return .json(
      JSONWriter.object { writer in
        writer.field("account") { writer in
          writer.field("email", account.email)
          writer.field("first_name", account.firstName)
          writer.field("last_name", account.lastName)
          writer.field("company_name", account.companyName)
          writer.field("created_at", String(account.createdAt.wireFormat.prefix { $0 != "T" }))
          writer.field("balance", account.balance)
          writer.field("currency", profile.currency)
          writer.field("hourly_cost", profile.hourlyCost)
          writer.field("suspended", account.suspension.cause?.rawValue)
          writer.field("deletion_at", account.suspension.deletionAt)
        }
        writer.field("token") { writer in
          writer.field("name", token.name)
          writer.field("permissions", token.permissions) { $0.value($1.description) }
          writer.field("id", token.id.value)
          writer.field("expires_at", token.expiresAt)
          writer.field("last_used_at", token.lastUsedAt)
          writer.field("created_at", token.createdAt)
        }
      })
  }

  private static func token(_ writer: inout JSONWriter, _ token: Token) {
    writer.object { writer in
      fields(&writer, token)
      writer.field("parent_id", token.parentID?.value)
    }
  }

  private static func fields(_ writer: inout JSONWriter, _ token: Token) {
    writer.field("id", token.id.value)
    writer.field("name", token.name)
    writer.field("permissions", token.permissions) { $0.value($1.description) }
    writer.field("expires_at", token.expiresAt)
    writer.field("last_used_at", token.lastUsedAt)
    writer.field("created_at", token.createdAt)
  }
}

import Core
import Engine
import Foundation
import HTTPTypes
import TestSupport
import Testing

@Suite("Tokens and the account can be looked after over the API")
struct TokenTests {
  private func create(_ api: TestAPI, _ body: String, token: String? = nil) async throws -> TestAPI.Reply {
    try await api.send(.post, "/tokens/", body, token: token)
  }

  @Test("A new token is shown once, works, and is listed without its text")
  func create() async throws {
    let api = try await TestAPI.make()
    let created = try await create(
      api, #"{"name": "ci", "permissions": ["servers:read"], "expires_at": "2025-02-16T15:30:00+02:00"}"#)
    #expect(created.status == 201)
    let text = try #require(try created.json["token"] as? String)
    let id = try #require(try created.json["id"] as? Int)
    #expect(try created.json["expires_at"] as? String == "2025-02-16T13:30:00Z")
    #expect(try await api.send(.get, "/servers/", token: text).status == 200)
    #expect(try await api.send(.post, "/servers/", "{}", token: text).status == 403)
    #expect(try await api.send(.get, "/tokens/", token: text).status == 403)

    let list = try await api.send(.get, "/tokens/")
    #expect(try list.json["count"] as? Int == 2)
    #expect(!list.text.contains(text))
    let read = try await api.send(.get, "/tokens/\(id)/")
    let order = read.text.matches(of: /"([a-z_]+)":/).map { String($0.output.1) }
    #expect(order == ["id", "name", "permissions", "expires_at", "last_used_at", "created_at", "parent_id"])

    try await api.service.authenticator.recordUses()
    #expect(try await api.send(.get, "/tokens/\(id)/").json["last_used_at"] is String)
    api.service.clock.advance(by: .seconds(40 * 86_400))
    #expect(try await api.send(.get, "/servers/", token: text).status == 401)
  }

  @Test("A token cannot grant more than it has")
  func escalation() async throws {
    let api = try await TestAPI.make()
    let own = ["tokens:*", "servers:read", "ssh_keys:read", "ssh_keys:write"].compactMap { Permission($0) }
    let (_, token) = try await api.service.newToken(of: api.service.owner.accountID, permissions: own)
    for permission in ["*:*", "*:read", "servers:*", "servers:write", "backups:read"] {
      let reply = try await create(api, #"{"name": "x", "permissions": ["\#(permission)"]}"#, token: token.text)
      #expect(reply.status == 400)
      #expect(reply.text == #"{"permissions":["Your token may not grant \"\#(permission)\"."]}"#)
    }
    let allowed = #"{"name": "x", "permissions": ["servers:read", "ssh_keys:*", "tokens:read"]}"#
    #expect(try await create(api, allowed, token: token.text).status == 201)
    let (_, reader) = try await api.service.newToken(
      of: api.service.owner.accountID, permissions: [Permission("tokens:read")!])
    #expect(try await create(api, allowed, token: reader.text).status == 403)
  }

  @Test("A revoked token is refused at once, and is gone")
  func revoke() async throws {
    let api = try await TestAPI.make()
    let created = try await create(api, #"{"name": "ci", "permissions": ["*:*"]}"#)
    let text = try #require(try created.json["token"] as? String)
    let id = try #require(try created.json["id"] as? Int)
    #expect(try await api.send(.get, "/servers/", token: text).status == 200)
    #expect(try await api.send(.delete, "/tokens/\(id)/").status == 204)
    #expect(try await api.send(.get, "/servers/", token: text).status == 401)
    #expect(try await api.send(.get, "/tokens/\(id)/").status == 404)
    #expect(try await api.send(.delete, "/tokens/\(id)/").status == 404)
    #expect(try await api.send(.get, "/tokens/").json["count"] as? Int == 1)
  }

  @Test("Another account's tokens are not there")
  func anothers() async throws {
    let api = try await TestAPI.make()
    let (_, other) = try await api.service.newCaller()
    #expect(try await api.send(.get, "/tokens/1/", token: other.text).status == 404)
    #expect(try await api.send(.delete, "/tokens/1/", token: other.text).status == 404)
    #expect(try await api.send(.get, "/tokens/", token: other.text).json["count"] as? Int == 1)
    #expect(try await api.send(.get, "/servers/").status == 200)
  }

  @Test(
    "A field's rule is named",
    arguments: [
      (#"{"permissions": ["*:*"]}"#, "name", "This field is required."),
      (#"{"name": "a"}"#, "permissions", "This field is required."),
      (#"{"name": "a", "permissions": []}"#, "permissions", "This list may not be empty."),
      (#"{"name": "a", "permissions": "*:*"}"#, "permissions", "Expected a list of items but got type \"str\"."),
      (#"{"name": "a", "permissions": ["root"]}"#, "permissions", "\"root\" is not a valid choice."),
      (#"{"name": "a", "permissions": [1]}"#, "permissions", "Not a valid string."),
      (#"{"name": "a", "permissions": ["*:*"], "expires_at": "2025-01-16"}"#, "expires_at", "Datetime has wrong"),
      (#"{"name": "a", "permissions": ["*:*"], "expires_at": "2025-02-30T00:00Z"}"#, "expires_at", "Datetime has"),
      (#"{"name": "a", "permissions": ["*:*"], "expires_at": "2020-01-16T00:00Z"}"#, "expires_at", "Enter a time in"),
    ])
  func rules(body: String, field: String, message: String) async throws {
    let api = try await TestAPI.make()
    let reply = try await create(api, body)
    #expect(reply.status == 400)
    #expect(try reply.json.count == 1)
    #expect(try (reply.json[field] as? [String])?.first?.hasPrefix(message) == true)
  }

  @Test("Whoever bears a token can ask whose it is and what it may do")
  func me() async throws {
    let api = try await TestAPI.make()
    let (_, token) = try await api.service.newToken(
      of: api.service.owner.accountID, permissions: [Permission("backups:read")!])
    _ = try await api.service.store.updateProfile(
      of: api.service.owner.accountID, ProfileChange(firstName: "Ada", companyName: "Analytical Engines"),
      at: api.service.clock.now)
    let reply = try await api.send(.get, "/account/me/", token: token.text)
    #expect(reply.status == 200)
    #expect(
      reply.text.hasPrefix(
        #"{"account":{"email":"owner@example.com","first_name":"Ada","last_name":"","company_name":"#
          + #""Analytical Engines","created_at":"2025-01-16","balance":100.00,"currency":"USD","#
          + #""hourly_cost":0.00,"suspended":null,"deletion_at":null},"token":{"name":"test","#
          + #""permissions":["backups:read"],"#))
    #expect(try await api.send(.get, "/account/me/", token: "").status == 401)
  }
}

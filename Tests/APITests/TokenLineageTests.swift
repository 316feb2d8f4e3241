import Core
import Engine
import Foundation
import HTTPTypes
import SQLStore
import TestSupport
import Testing

@testable import API

@Suite("A token never outlives the one that made it, and never has more than its account")
struct TokenLineageTests {
  private static let everything = #"{"name": "child", "permissions": ["*:*"]}"#

  private func child(of token: String?, _ api: TestAPI, _ body: String = everything) async throws -> (
    id: Int, text: String
  ) {
    let reply = try await api.send(.post, "/tokens/", body, token: token)
    #expect(reply.status == 201)
    return (try #require(try reply.json["id"] as? Int), try #require(try reply.json["token"] as? String))
  }

  private func status(_ api: TestAPI, _ token: String) async throws -> Int {
    try await api.send(.get, "/servers/", token: token).status
  }

  @Test("A token that expires makes tokens that expire with it, and none that last longer")
  func expiry() async throws {
    let api = try await TestAPI.make()
    let end = api.service.clock.now + .seconds(4)
    let (_, parent) = try await api.service.newToken(
      of: api.service.owner.accountID, permissions: [.everything], expiresAt: end)
    let heir = try await child(of: parent.text, api)
    let grandchild = try await child(of: heir.text, api)
    let early = try await child(
      of: parent.text, api,
      #"{"name": "early", "permissions": ["*:*"], "expires_at": "\#((end - .seconds(2)).wireFormat)"}"#)
    let refused = try await api.send(
      .post, "/tokens/",
      #"{"name": "late", "permissions": ["*:*"], "expires_at": "\#((end + .seconds(1)).wireFormat)"}"#,
      token: parent.text)
    #expect(refused.status == 400)
    #expect(refused.text == #"{"expires_at":["A token may not last longer than the one that makes it."]}"#)
    for (id, expected) in [(heir.id, end), (grandchild.id, end), (early.id, end - .seconds(2))] {
      #expect(try await api.send(.get, "/tokens/\(id)/").json["expires_at"] as? String == expected.wireFormat)
    }
    api.service.clock.advance(by: .seconds(5))
    for token in [parent.text, heir.text, grandchild.text, early.text] {
      #expect(try await status(api, token) == 401)
    }
    #expect(try await status(api, api.service.token.text) == 200)
  }

  @Test("A token that is revoked takes with it all that were made with it, at once, and no others")
  func revocation() async throws {
    let api = try await TestAPI.make()
    let parent = try await child(of: nil, api)
    let children = [try await child(of: parent.text, api), try await child(of: parent.text, api)]
    let grandchild = try await child(of: children[0].text, api)
    let sibling = try await child(of: nil, api)
    for token in [parent.text, children[0].text, children[1].text, grandchild.text, sibling.text] {
      #expect(try await status(api, token) == 200)
    }
    #expect(try await api.send(.get, "/tokens/\(grandchild.id)/").json["parent_id"] as? Int == children[0].id)
    #expect(try await api.send(.get, "/tokens/1/").json["parent_id"] is NSNull)
    #expect(try await api.send(.delete, "/tokens/\(parent.id)/").status == 204)
    for token in [parent.text, children[0].text, children[1].text, grandchild.text] {
      #expect(try await status(api, token) == 401)
    }
    #expect(try await status(api, sibling.text) == 200)
    #expect(try await api.send(.get, "/tokens/").json["count"] as? Int == 2)
  }

  @Test("The operator's command takes them with it too, within a second")
  func operatorRevocation() async throws {
    let api = try await TestAPI.make()
    let parent = try await child(of: nil, api)
    let grandchild = try await child(of: try await child(of: parent.text, api).text, api)
    #expect(try await status(api, grandchild.text) == 200)
    #expect(try await api.service.store.revokeToken(ID(Int64(parent.id)), at: api.service.clock.now))
    api.service.clock.advance(by: .seconds(1))
    #expect(try await status(api, grandchild.text) == 401)
    let trail = try await api.service.database.auditTrail(newest: 3)
    #expect(trail.map(\.action) == ["token.revoke", "token.revoke", "token.revoke"])
    #expect(trail.compactMap { $0.detail.flatMap { Int($0) } }.min() == parent.id)
  }

  @Test("A token that is revoked while it makes another one makes none")
  func race() async throws {
    let api = try await TestAPI.make()
    let (caller, parent) = try await api.service.newToken(
      of: api.service.owner.accountID, permissions: [.everything])
    #expect(try await status(api, parent.text) == 200)
    // Another process has revoked it, and what is kept of it here is not a second old.
    #expect(try await api.service.store.revokeToken(caller.tokenID, at: api.service.clock.now))
    let reply = try await api.send(.post, "/tokens/", Self.everything, token: parent.text)
    #expect(reply.status == 401)
    #expect(try await api.send(.get, "/tokens/").json["count"] as? Int == 1)
  }

  @Test("However many tokens an account has, it may make so many requests a minute in all")
  func oneRateLimit() async throws {
    let limits = RequestLimits(requestsPerMinute: 6, loginFailuresPerMinute: 0)
    let api = TestAPI(try await TestService(), limits: limits)
    var tokens: [String] = [api.service.token.text]
    for _ in 0..<2 { tokens.append(try await child(of: nil, api).text) }
    var statuses: [Int] = []
    for token in tokens + tokens { statuses.append(try await status(api, token)) }
    #expect(statuses == [200, 200, 200, 200, 429, 429])
    let other = try await api.service.newCaller()
    #expect(try await status(api, other.token.text) == 200)
  }
}

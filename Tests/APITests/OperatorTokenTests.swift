import Core
import Engine
import Foundation
import HTTPTypes
import TestSupport
import Testing

@testable import API

@Suite("A token for operators is made on the host only, and is nobody else's")
struct OperatorTokenTests {
  private static let operators = Permission(.operator, .any)

  private func operatorToken(_ api: TestAPI, _ others: [Permission] = []) async throws -> String {
    let account = api.service.owner.accountID
    return try await api.service.newToken(of: account, permissions: [Self.operators] + others, name: "ops").token.text
  }

  @Test("No route grants it: not to a token that may do everything, and not to an operator's own")
  func refusal() async throws {
    let api = try await TestAPI.make()
    let before = try await api.service.store.tokens().count
    for token in [api.service.token.text, try await operatorToken(api, [.everything])] {
      for permission in ["operator:*", "operator:read", "operator:write"] {
        for beside in ["", #""servers:read", "#] {
          let body = #"{"name": "x", "permissions": [\#(beside)"\#(permission)"]}"#
          let reply = try await api.send(.post, "/tokens/", body, token: token)
          #expect(reply.status == 400)
          let message = #"\"\#(permission)\" can be granted on the host only, with vpsd token create --operator."#
          #expect(reply.text == #"{"permissions":["\#(message)"]}"#)
        }
      }
    }
    #expect(try await api.service.store.tokens().count == before + 1)
  }

  @Test("What it may do beside, it passes on like any other token")
  func others() async throws {
    let api = try await TestAPI.make()
    let token = try await operatorToken(api, [.everything])
    let made = try await api.send(.post, "/tokens/", #"{"name": "x", "permissions": ["*:*"]}"#, token: token)
    #expect(made.status == 201)
    #expect(try made.json["permissions"] as? [String] == ["*:*"])
  }

  @Test("It tells whose it is, and opens no route that is for customers")
  func closed() async throws {
    let routes = try await EveryRoute.make()
    let token = try await operatorToken(routes.api)
    let before = try await routes.everything()
    for endpoint in routes.endpoints where !endpoint.isForOperators {
      let reply = try await routes.send(endpoint, nil, nil, token: token)
      #expect(reply.status == (endpoint.permission == nil ? 200 : 403), "\(endpoint.name)")
    }
    #expect(try await routes.everything() == before)
    let me = try await routes.api.send(.get, "/account/me/", token: token)
    #expect(try (me.json["token"] as? [String: Any])?["permissions"] as? [String] == ["operator:*"])
  }

  @Test("A customer's script that runs away does not keep the operator out, nor the other way round")
  func shares() async throws {
    let limits = RequestLimits(requestsPerMinute: 3, loginFailuresPerMinute: 0)
    let api = TestAPI(try await TestService(), limits: limits)
    let operators = [try await operatorToken(api), try await operatorToken(api)]
    func status(_ token: String) async throws -> Int { try await api.send(.get, "/account/me/", token: token).status }
    for _ in 1...3 { #expect(try await status(api.service.token.text) == 200) }
    #expect(try await status(api.service.token.text) == 429)
    // Two of them have one share.
    for token in operators + [operators[0]] { #expect(try await status(token) == 200) }
    #expect(try await status(operators[1]) == 429)
  }
}

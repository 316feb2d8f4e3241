import Core
import Engine
import Foundation
import HTTPTypes
import TestSupport
import Testing

@testable import API

@Suite("What is an operator's is there for operators' programs only")
struct OperatorAPITests {
  private static let requestID = HTTPField.Name("X-Request-ID")!

  @Test("To every other token each route is as a path that nobody has, to the byte, whatever the method and the body")
  func hidden() async throws {
    let routes = try await EveryRoute.make()
    let document = try APIDescription()
    let (customer, plain) = try await routes.api.service.newCaller()
    let (_, owners) = try await routes.api.service.newToken(
      of: routes.api.service.owner.accountID, permissions: [.everything])
    let session = SessionText.random().text
    let before = try await routes.everything()
    let endpoints = routes.endpoints.filter(\.isForOperators)
    #expect(endpoints.count > 40 && customer.may(Permission(.servers, .write)))
    for endpoint in endpoints {
      let operation = try #require(document.operation(endpoint.name))
      let body = endpoint.takesBody ? try document.exampleBody(of: operation) : nil
      let path = routes.path(of: endpoint)
      for method in [endpoint.method, .put, .options] {
        for (token, accept) in [(plain.text, "*/*"), (owners.text, "*/*"), (plain.text, "text/html")] {
          let headers: HTTPFields = [Self.requestID: "same", .accept: accept]
          let there = try await routes.api.send(method, path, body, token: token, headers: headers)
          let nowhere = try await routes.api.send(method, "/nothing/like/this/", body, token: token, headers: headers)
          #expect(there.status == 404 && there.text == #"{"detail":"Not found."}"#, "\(method) \(path)")
          #expect(there.text == nowhere.text && there.headers == nowhere.headers, "\(method) \(path)")
        }
      }
      let signedIn = try await routes.api.send(endpoint.method, path, body, token: session)
      #expect(signedIn.status == 401 && signedIn.text == #"{"detail":"Invalid token."}"#, "\(path)")
    }
    #expect(try await routes.everything() == before)
  }

  @Test("A person who is an operator in the panel has no more with a token than any customer")
  func person() async throws {
    let api = try await TestAPI.make()
    let account = api.service.owner.accountID
    var change = ProfileChange()
    change.isOperator = true
    #expect(try await api.service.store.updateProfile(of: account, change, at: api.service.clock.now))
    #expect(try await api.send(.get, "/operator/accounts/").status == 404)
  }

  @Test("A token that is revoked while its request is on its way changes nothing any more")
  func revokedMeanwhile() async throws {
    let (api, caller) = try await TestAPI.powerful(try await TestService())
    let (store, now) = (api.service.store, api.service.clock.now)
    let accounts = Operators(store: store, clock: api.service.clock).accounts
    _ = try await accounts.create(
      email: "ada@example.com", ProfileChange(), openingCredit: .zero, by: .program(caller))
    #expect(try await store.revokeToken(caller.tokenID, at: now))
    let tries: [() async throws -> Void] = [
      { _ = try await accounts.addCredit(Money(microunits: 1), to: ID(2), note: "", by: .program(caller)) },
      { _ = try await accounts.suspend(ID(2), because: "", by: .program(caller)) },
      { try await accounts.close(ID(2), deletingServers: true, by: .program(caller)) },
      {
        _ = try await api.service.servers.create(
          api.service.draft(), caller.operating(on: api.service.owner.accountID))
      },
    ]
    for attempt in tries { #expect(await failure { try await attempt() }?.code == .credentialsInvalid) }
    #expect(try await store.account(ID(2))?.balance == .zero)
    #expect(try await store.allServers().isEmpty)
  }

  @Test("The audit trail says which token did what to whose account, and from where")
  func audit() async throws {
    let (api, caller) = try await TestAPI.powerful(try await TestService())
    _ = try await api.send(.post, "/operator/accounts/", #"{"email": "ada@example.com", "credit": "1.00"}"#)
    _ = try await api.send(.post, "/operator/accounts/2/credit/", #"{"amount": "2.00"}"#)
    let server = #"{"account_id": 2, "name": "a", "plan_id": 3, "os_id": 3, "location": "us-west"}"#
    _ = try await api.send(.post, "/operator/servers/", server)
    let list = try await api.send(.get, "/operator/audit/?account_id=2")
    let entries = try #require(try list.json["results"] as? [[String: Any]])
    #expect(entries.compactMap { $0["action"] as? String } == ["account.create", "credit.add", "server.create"])
    for entry in entries {
      #expect((entry["token"] as? [String: Any])?["id"] as? Int64 == caller.tokenID.value)
      #expect((entry["account"] as? [String: Any])?["email"] as? String == "ada@example.com")
    }
    #expect(entries.last?["server_id"] as? Int == 1)
    let newest = try await api.send(.get, "/operator/audit/?ordering=-id&page_size=1")
    #expect(newest.text.contains(#""action":"server.create""#))
    let behind = try await api.send(.get, "/operator/audit/?ordering=-id&page_size=1&after=\(entries[2]["id"] ?? 0)")
    #expect(behind.text.contains(#""action":"credit.add""#))
    // The customer is not told by the history of the server whose token it was.
    let (_, token) = try await api.service.newToken(of: ID(2), permissions: [.everything])
    let history = try await api.send(.get, "/servers/1/operations/", token: token.text)
    #expect(history.text.contains(#""requested_by":null"#))
  }
}

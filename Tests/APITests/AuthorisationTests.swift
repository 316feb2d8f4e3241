import Core
import Engine
import Foundation
import HTTPTypes
import TestSupport
import Testing

@testable import API

@Suite("Nobody gets in who should not, on no route")
struct AuthorisationTests {
  /// What a request can bear in place of a valid token.
  enum Credential: String, CaseIterable {
    case nothing, anotherScheme, schemeOnly, twoTokens, noToken, unknown, revoked, expired

    /// What the table of errors says.
    var detail: String {
      switch self {
      case .nothing, .anotherScheme: "Authentication credentials were not provided."
      case .schemeOnly: "Invalid token header. No credentials provided."
      case .twoTokens, .noToken, .unknown, .revoked, .expired: "Invalid token."
      }
    }

    func header(_ api: TestAPI) async throws -> String? {
      let owner = api.service.owner.accountID
      switch self {
      case .nothing: return nil
      case .anotherScheme: return "Basic \(api.service.token.text)"
      case .schemeOnly: return "Bearer "
      case .twoTokens: return "Bearer \(api.service.token.text) \(api.service.token.text)"
      case .noToken: return "Bearer \(api.service.token.text.dropLast())"
      case .unknown: return "Bearer \(TokenText.random().text)"
      case .revoked:
        let (caller, token) = try await api.service.newToken(of: owner, permissions: [.everything])
        // It was good, and known to be.
        #expect(try await api.send(.get, "/account/me/", token: token.text).status == 200)
        let revoked = try await api.send(.delete, "/tokens/\(caller.tokenID)/")
        #expect(revoked.status == 204)
        return "Bearer \(token.text)"
      case .expired:
        let clock = api.service.clock
        let (_, token) = try await api.service.newToken(
          of: owner, permissions: [.everything], expiresAt: clock.now + .seconds(1))
        #expect(try await api.send(.get, "/account/me/", token: token.text).status == 200)
        clock.advance(by: .seconds(1))
        return "Bearer \(token.text)"
      }
    }
  }

  @Test("Without a valid token every route says so, and does nothing", arguments: Credential.allCases)
  func credentials(credential: Credential) async throws {
    let routes = try await EveryRoute.make()
    let document = try APIDescription()
    let header = try await credential.header(routes.api)
    let before = try await routes.everything()
    for endpoint in routes.endpoints {
      let headers: HTTPFields = header.map { [.authorization: $0] } ?? [:]
      let operation = try #require(document.operation(endpoint.name))
      for body in [try document.exampleBody(of: operation), "no JSON"] {
        let reply = try await routes.send(
          endpoint, nil, endpoint.takesBody ? body : nil, token: "", headers: headers)
        #expect(reply.status == 401, "\(endpoint.name)")
        #expect(reply.headers[.wwwAuthenticate] == "Bearer", "\(endpoint.name)")
        #expect(reply.text == #"{"detail":"\#(credential.detail)"}"#, "\(endpoint.name)")
      }
    }
    #expect(try await routes.everything() == before)
  }

  @Test(
    "A token with every permission but the one that is needed is refused, whatever else is wrong, and nothing is done")
  func permissions() async throws {
    let routes = try await EveryRoute.make()
    let document = try APIDescription()
    let owner = routes.api.service.owner.accountID
    for endpoint in routes.endpoints {
      let operation = try #require(document.operation(endpoint.name))
      #expect(operation.permission == endpoint.permission?.description, "\(endpoint.name)")
      guard let needed = endpoint.permission else { continue }
      let others = Permission.Resource.allCases.filter { $0 != .any }.flatMap { resource in
        [Permission(resource, .read), Permission(resource, .write)]
      }.filter { $0 != needed }
      let (_, token) = try await routes.api.service.newToken(of: owner, permissions: others)
      let before = try await routes.everything()
      for body in [try document.exampleBody(of: operation), "no JSON"] {
        let reply = try await routes.send(endpoint, nil, endpoint.takesBody ? body : nil, token: token.text)
        #expect(reply.status == 403, "\(endpoint.name)")
        #expect(
          reply.text == #"{"detail":"You do not have permission to perform this action."}"#, "\(endpoint.name)")
      }
      #expect(try await routes.everything() == before, "\(endpoint.name)")
    }
  }

  @Test("A token with the one permission that is needed, and no other, gets in")
  func sufficient() async throws {
    let routes = try await EveryRoute.make()
    let document = try APIDescription()
    // What is deleted comes last, and servers after what is made of them, or below them.
    let rank = { (endpoint: Endpoint) in
      if endpoint.method != .delete { return 0 }
      return endpoint.path == "/servers/{id}/" ? 2 : endpoint.path == "/operator/accounts/{id}/" ? 3 : 1
    }
    for endpoint in routes.endpoints.sorted(by: { rank($0) < rank($1) }) where !endpoint.isStream {
      let (_, token) = try await routes.api.service.newToken(
        of: routes.api.service.owner.accountID, permissions: endpoint.permission.map { [$0] } ?? [])
      let operation = try #require(document.operation(endpoint.name))
      let body = endpoint.takesBody ? try document.exampleBody(of: operation) : nil
      let reply = try await routes.send(endpoint, nil, body, token: token.text)
      #expect(![401, 403, 404].contains(reply.status), "\(endpoint.name): \(reply.status) \(reply.text)")
    }
  }

  @Test("What belongs to another account cannot be told from what was never there, and stays as it is")
  func anothers() async throws {
    let routes = try await EveryRoute.make()
    let document = try APIDescription()
    let (_, token) = try await routes.api.service.newCaller()
    let before = try await routes.everything()
    for endpoint in routes.owned {
      let operation = try #require(document.operation(endpoint.name))
      for path in routes.paths(of: endpoint) {
        let isByID = routes.path(of: endpoint) == path
        let nowhere = endpoint.path(with: isByID ? "987654" : UUID().uuidString.lowercased())
        for body in endpoint.takesBody ? [try document.exampleBody(of: operation), "{}", "no JSON"] : [nil] {
          let there = try await routes.send(endpoint, path, body, token: token.text, headers: named)
          let never = try await routes.send(endpoint, nowhere, body, token: token.text, headers: named)
          #expect(there.status == 404, "\(endpoint.name)")
          #expect(there.text == #"{"detail":"Not found."}"#, "\(endpoint.name)")
          #expect(there.text == never.text && there.status == never.status, "\(endpoint.name)")
          #expect(there.headers == never.headers, "\(endpoint.name)")
        }
      }
    }
    #expect(try await routes.everything() == before)
    let lists = Set(routes.owned.map { "/\($0.kind)/" }).subtracting(["/tokens/"])
    for endpoint in routes.endpoints where endpoint.method == .get && lists.contains(endpoint.path) {
      let list = try await routes.send(endpoint, token: token.text)
      #expect(list.text == #"{"count":0,"results":[]}"#, "\(endpoint.name)")
    }
  }

  /// Both replies bear the same name of a request, so that all of their headers can be compared.
  private var named: HTTPFields { [HTTPField.Name("X-Request-ID")!: "the-same"] }
}

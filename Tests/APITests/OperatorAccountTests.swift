import Core
import Engine
import Foundation
import HTTPTypes
import TestSupport
import Testing

@Suite("Accounts, in the hands of an operator's program")
struct OperatorAccountTests {
  private static let keyHeader = HTTPField.Name("Idempotency-Key")!

  /// The second account is a customer's.
  private func api() async throws -> TestAPI {
    let api = try await TestAPI.powerful(try await TestService()).api
    let made = try await api.send(
      .post, "/operator/accounts/",
      #"{"email": "ada@example.com", "first_name": "Ada", "company_name": "Engines", "credit": "10.00"}"#)
    #expect(made.status == 201, "\(made.text)")
    return api
  }

  private func balance(_ api: TestAPI) async throws -> String? {
    try await api.service.store.account(ID(2))?.balance.decimal
  }

  @Test("It is shown as its customer sees it, with its id before and what operators know behind")
  func shape() async throws {
    let api = try await api()
    let text = try await api.send(.get, "/operator/accounts/2/").text
    #expect(
      text == #"{"id":2,"email":"ada@example.com","first_name":"Ada","last_name":"","company_name":"Engines","#
        + #""created_at":"2025-01-16","balance":10.00,"currency":"USD","hourly_cost":0.00,"suspended":null,"#
        + #""deletion_at":null,"suspension_reason":null,"language":"en","smtp_outbound":false,"closed_at":null}"#)
    let list = try await api.send(.get, "/operator/accounts/?email=ADA@example.com")
    #expect(list.text == #"{"count":1,"results":[\#(text)]}"#)
    #expect(try await api.send(.get, "/operator/accounts/?search=aDa&state=open").json["count"] as? Int == 1)
    #expect(try await api.send(.get, "/operator/accounts/?search=b").json["count"] as? Int == 0)
    #expect(try await api.send(.get, "/operator/accounts/?state=closed").json["count"] as? Int == 0)
  }

  @Test(
    "No amount is taken that is none, below, above or finer than what can be, and nothing is credited",
    arguments: [
      #""1e9""#, #""-5""#, #""0.0000001""#, #""0""#, #""0.00""#, #""1000000000.000001""#, #""10000000000""#,
      #""99999999999999999999999999""#, #""NaN""#, #""inf""#, #""0x10""#, #""+1""#, #"" ""#, #""1,5""#, #""1.""#,
      #"".5""#, #""٣""#, #""５""#, "1.5", "1e10", "-1", "0", "true", "null", "[]", "{}", "12345678901234567890",
    ])
  func amounts(amount: String) async throws {
    let api = try await api()
    let reply = try await api.send(.post, "/operator/accounts/2/credit/", #"{"amount": \#(amount)}"#)
    #expect(reply.status == 400, "\(reply.text)")
    #expect(try reply.json["amount"] != nil, "\(reply.text)")
    #expect(try await balance(api) == "10.00")
    let opened = try await api.send(
      .post, "/operator/accounts/", #"{"email": "bob@example.com", "credit": \#(amount)}"#)
    let isNothing = [#""0""#, #""0.00""#, "0"].contains(amount)
    #expect(opened.status == (isNothing ? 201 : 400), "\(opened.text)")
  }

  @Test("Credit is added to the last place, and no account gets beyond what is counted")
  func credit() async throws {
    let api = try await api()
    let reply = try await api.send(
      .post, "/operator/accounts/2/credit/", #"{"amount": "0.000001", "note": "Invoice 7"}"#)
    #expect(reply.status == 200 && reply.text.contains(#""balance":10.000001,"#))
    let ledger = try await api.send(.get, "/operator/accounts/2/ledger/?ordering=-id&page_size=1")
    #expect(ledger.text.contains(#""reason":"credit","amount":"0.000001","balance":"10.000001""#))
    #expect(ledger.text.contains(#""description":"Invoice 7""#))
    _ = try await api.service.store.addCredit(
      Money.largestWritten * 999, to: ID(2), note: "", by: .host, at: api.service.clock.now)
    let full = try await api.send(.post, "/operator/accounts/2/credit/", #"{"amount": "1000000000"}"#)
    #expect(full.status == 422 && full.text.contains("No account may have more than"))
    #expect(try await balance(api) == "999000000010.000001")
  }

  @Test("A credit that is sent again with its key is added once: one after the other, at once, and after a crash")
  func creditOnce() async throws {
    let api = try await api()
    let body = #"{"amount": "5.00", "note": "Invoice"}"#
    let statuses = try await withThrowingTaskGroup(of: Int.self) { group in
      for _ in 0..<10 {
        group.addTask {
          try await api.send(
            .post, "/operator/accounts/2/credit/", body, headers: [Self.keyHeader: "invoice-1"]
          ).status
        }
      }
      return try await group.reduce(into: []) { $0.append($1) }
    }
    #expect(statuses.contains(200) && statuses.allSatisfy { [200, 409].contains($0) }, "\(statuses)")
    #expect(try await balance(api) == "15.00")
    let again = try await api.send(
      .post, "/operator/accounts/2/credit/", body, headers: [Self.keyHeader: "invoice-1"])
    #expect(again.headers[HTTPField.Name("Idempotent-Replayed")!] == "true" && again.text.contains(#""balance":15.00"#))
    let other = try await api.send(
      .post, "/operator/accounts/2/credit/", #"{"amount": "6.00"}"#, headers: [Self.keyHeader: "invoice-1"])
    #expect(other.status == 422)
    // A process that died behind the credit, and before its answer was kept.
    let requests = Idempotency(store: api.service.store, clock: api.service.clock)
    let caller = try await api.service.authenticator.caller(bearing: api.token ?? "")
    let beginning = try await requests.begin(
      key: "invoice-2", method: "POST", path: "/api/v1/operator/accounts/2/credit", body: Array(body.utf8), caller)
    guard case .first(let attempt) = beginning else { throw CancellationError() }
    _ = try await Operators(store: api.service.store, clock: api.service.clock).accounts.addCredit(
      Money(microunits: 5_000_000), to: ID(2), note: "Invoice", by: .program(attempt.caller))
    api.service.clock.advance(by: .seconds(3600))
    let after = try await api.send(
      .post, "/operator/accounts/2/credit/", body, headers: [Self.keyHeader: "invoice-2"])
    #expect(after.status == 409 && after.text.contains("was carried out"))
    #expect(try await balance(api) == "20.00")
  }

  @Test("An e-mail address is one account's, whatever the case of its letters, and must be one")
  func email() async throws {
    let api = try await api()
    for body in [
      #"{"email": "owner@example.com"}"#, #"{"email": "OWNER@example.com"}"#, #"{"email": "no address"}"#,
      #"{"email": "a@"}"#, #"{"email": "\#(String(repeating: "a", count: 250))@example.com"}"#, #"{"email": null}"#,
      #"{"email": "a\u000ab@example.com"}"#, #"{"first_name": "\u202eA"}"#, #"{"language": "fr"}"#,
      #"{"smtp_outbound": "maybe"}"#,
    ] {
      let reply = try await api.send(.patch, "/operator/accounts/2/", body)
      #expect(reply.status == 400 && reply.text.hasPrefix("{\""), "\(body)")
    }
    let wrong = #"{"email": "nobody", "credit": "-1", "first_name": 1}"#
    let both = try await api.send(.post, "/operator/accounts/", wrong)
    #expect(try Set(both.json.keys) == ["email", "first_name", "credit"])
    #expect(try await api.send(.post, "/operator/accounts/", #"{"email": "ADA@example.com"}"#).status == 400)
    let own = try await api.send(.patch, "/operator/accounts/2/", #"{"email": "Ada@Example.com", "language": "bg"}"#)
    #expect(own.status == 200 && own.text.contains(#""email":"Ada@Example.com""#))
  }

  @Test("Whoever is an operator in the panel is nobody's to change here, nor spoken for")
  func operators() async throws {
    let api = try await api()
    var change = ProfileChange()
    change.isOperator = true
    _ = try await api.service.store.updateProfile(of: ID(2), change, at: api.service.clock.now)
    for (method, path, body) in [
      (.patch, "", #"{"email": "eve@example.com"}"#), (.delete, "", nil), (.post, "suspend/", "{}"),
      (.post, "resume/", "{}"), (.post, "login-link/", "{}"),
      (.post, "tokens/", #"{"name": "a", "permissions": ["*:*"]}"#),
    ] as [(HTTPRequest.Method, String, String?)] {
      let reply = try await api.send(method, "/operator/accounts/2/" + path, body)
      #expect(reply.status == 403 && reply.text.contains("changed on the host only"), "\(method) \(path)")
    }
    #expect(try await api.service.store.account(ID(2))?.email == "ada@example.com")
  }

  @Test("An account with servers is closed with them only where that is wanted, and what bears the token is not")
  func close() async throws {
    let api = try await api()
    let server = #"{"account_id": 2, "name": "a", "plan_id": 3, "os_id": 3, "location": "us-west"}"#
    #expect(try await api.send(.post, "/operator/servers/", server).status == 201)
    try await api.service.settle()
    let refused = try await api.send(.delete, "/operator/accounts/2/")
    #expect(refused.status == 400 && refused.text.contains("has 1 server(s)"))
    #expect(try await api.send(.delete, "/operator/accounts/2/?delete_servers=maybe").status == 400)
    #expect(try await api.send(.delete, "/operator/accounts/2/?delete_servers=true").status == 204)
    try await api.service.settle()
    #expect(try await api.service.leftovers() == [])
    let closed = try await api.send(.get, "/operator/accounts/2/")
    #expect(try closed.json["closed_at"] is String && closed.text.contains(#""email":"closed-2","first_name":"""#))
    for (method, path, body) in [
      (.patch, "", "{}"), (.delete, "", nil), (.post, "credit/", #"{"amount": "1"}"#), (.post, "suspend/", "{}"),
      (.post, "login-link/", "{}"), (.post, "tokens/", #"{"name": "a", "permissions": ["*:*"]}"#),
    ] as [(HTTPRequest.Method, String, String?)] {
      let reply = try await api.send(method, "/operator/accounts/2/" + path, body)
      #expect(reply.status == 400 && reply.text == #"{"detail":"The account 2 is closed."}"#, "\(method) \(path)")
    }
    let another = try await api.send(.post, "/operator/servers/", server)
    #expect(another.text == #"{"account_id":["This account is closed."]}"#)
    #expect(try await api.send(.get, "/operator/accounts/2/ledger/").status == 200)
    #expect(try await api.send(.delete, "/operator/accounts/1/?delete_servers=true").status == 400)
    #expect(try await api.send(.post, "/operator/accounts/", #"{"email": "ada@example.com"}"#).status == 201)
  }

  @Test("A customer's token is made, found and revoked below its own account only, and an operator's is not revoked")
  func tokens() async throws {
    let api = try await api()
    let made = try await api.send(
      .post, "/operator/accounts/2/tokens/", #"{"name": "panel", "permissions": ["*:*"]}"#)
    let (id, text) = (try #require(try made.json["id"] as? Int), try #require(try made.json["token"] as? String))
    #expect(try made.status == 201 && made.json["parent_id"] is NSNull)
    let me = try await api.send(.get, "/account/me/", token: text)
    #expect(me.text.contains(#""email":"ada@example.com""#))
    let granted = try await api.send(
      .post, "/operator/accounts/2/tokens/", #"{"name": "a", "permissions": ["operator:read"]}"#)
    #expect(granted.status == 400 && granted.text.contains("on the host only"))
    #expect(try await api.send(.get, "/operator/accounts/1/tokens/\(id)/").status == 404)
    #expect(try await api.send(.delete, "/operator/accounts/1/tokens/\(id)/").status == 404)
    #expect(try await api.send(.delete, "/operator/accounts/1/tokens/2/").status == 403)
    #expect(try await api.send(.get, "/account/me/", token: text).status == 200)
    #expect(try await api.send(.delete, "/operator/accounts/2/tokens/\(id)/").status == 204)
    #expect(try await api.send(.get, "/account/me/", token: text).status == 401)
    #expect(try await api.send(.delete, "/operator/accounts/2/tokens/\(id)/").status == 404)
    #expect(try await api.send(.get, "/operator/accounts/2/tokens/").json["count"] as? Int == 0)
  }

  @Test("A suspended account keeps its servers off and gets no new ones, until that is lifted")
  func suspension() async throws {
    let api = try await api()
    await api.service.billing.pollOnce()
    let server = #"{"account_id": 2, "name": "a", "plan_id": 3, "os_id": 3, "location": "us-west"}"#
    _ = try await api.send(.post, "/operator/servers/", server)
    try await api.service.settle()
    let suspended = try await api.send(.post, "/operator/accounts/2/suspend/", #"{"reason": "Overdue"}"#)
    #expect(suspended.text.contains(#""suspended":"operator","deletion_at":null,"suspension_reason":"Overdue""#))
    api.service.clock.advance(by: .seconds(2))
    await api.service.billing.pollOnce()
    try await api.service.settle()
    #expect(try await api.send(.get, "/operator/servers/1/").json["status"] as? String == "suspended")
    let another = try await api.send(.post, "/operator/servers/", server)
    #expect(another.text == #"{"account_id":["This account is suspended."]}"#)
    #expect(try await api.send(.post, "/operator/servers/1/start/").status == 400)
    #expect(try await api.send(.get, "/operator/accounts/?state=suspended").json["count"] as? Int == 1)
    #expect(try await api.send(.post, "/operator/accounts/2/credit/", #"{"amount": "1"}"#).status == 200)
    #expect(try await api.send(.post, "/operator/accounts/2/resume/").text.contains(#""suspended":null"#))
    api.service.clock.advance(by: .seconds(2))
    await api.service.billing.pollOnce()
    try await api.service.settle()
    #expect(try await api.send(.get, "/operator/servers/1/").json["status"] as? String == "active")
  }

  @Test("A program whose own account is suspended reads, and changes nothing: with a request that is under way neither")
  func ownSuspension() async throws {
    let service = try await TestService()
    let (api, caller) = try await TestAPI.powerful(service)
    _ = try await api.send(.post, "/operator/accounts/", #"{"email": "ada@example.com", "credit": "10.00"}"#)
    let own = try #require(try await service.store.account(caller.accountID)).email
    _ = try await service.store.suspend(accountOf: own, because: "Broken into.", at: service.clock.now)
    service.clock.advance(by: .seconds(2))
    let message = "Your account is suspended: Broken into."
    let order = #"{"account_id": 2, "name": "a", "plan_id": 3, "os_id": 3, "location": "us-west"}"#
    for (path, body) in [("accounts/2/credit/", #"{"amount": "1.00"}"#), ("servers/", order)] {
      let reply = try await api.send(.post, "/operator/\(path)", body)
      #expect(reply.status == 403 && reply.text == #"{"detail":"\#(message)"}"#, "\(path): \(reply.text)")
    }
    // Both were let in before.
    let accounts = Operators(store: service.store, clock: service.clock).accounts
    let late = [
      await failure {
        _ = try await accounts.addCredit(Money(microunits: 1), to: ID(2), note: "", by: .program(caller))
      },
      await failure { _ = try await service.servers.create(service.draft(), caller.operating(on: ID(2))) },
    ]
    for refused in late { #expect(refused?.code == .permissionDenied && refused?.message == message) }
    #expect(try await api.send(.get, "/operator/accounts/2/ledger/").json["count"] as? Int == 1)
    #expect(try await balance(api) == "10.00")
    #expect(try await service.store.allServers().isEmpty)
  }

  @Test("A link leads to where the client reaches the service, and without a panel there is none")
  func loginLink() async throws {
    let api = try await api()
    let link = try await api.send(.post, "/operator/accounts/2/login-link/")
    let url = try #require(try link.json["url"] as? String)
    #expect(url.hasPrefix("http://127.0.0.1/sign-in?link=") && link.headers[.cacheControl] == "no-store")
    let (_, token) = try await api.service.newToken(of: ID(1), permissions: [Permission(.operator, .any)])
    let without = TestAPI(api.service)
    #expect(try await without.send(.post, "/operator/accounts/2/login-link/", token: token.text).status == 404)
  }
}

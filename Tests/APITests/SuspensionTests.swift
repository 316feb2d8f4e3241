import Core
import Engine
import Foundation
import HTTPTypes
import TestSupport
import Testing

@Suite("What an account that is suspended sees of it")
struct SuspensionTests {
  @Test("Out of credit: the account says so and until when, its servers refuse, and can be deleted")
  func credit() async throws {
    let api = try await TestAPI.make()
    let service = api.service
    await service.billing.pollOnce()
    let (caller, token) = try await service.newCaller(credit: Money(microunits: 5_000))
    let id = try await service.activeServer(of: caller)
    let before = try await api.send(.get, "/account/me/", token: token.text)
    #expect(before.text.contains(#""balance":0.00,"currency":"USD","hourly_cost":0.005,"suspended":null"#))
    service.clock.advance(by: .seconds(3600))
    await service.billing.pollOnce()
    try await service.settle()
    let after = try await api.send(.get, "/account/me/", token: token.text)
    #expect(after.text.contains(#""hourly_cost":0.00,"suspended":"credit","deletion_at":"2025-02-15T"#))
    #expect(try await api.send(.get, "/servers/\(id)/", token: token.text).json["status"] as? String == "suspended")
    for path in ["start", "stop", "reboot", "resize", "rebuild", "console"] {
      let body = path == "resize" ? #"{"plan": 1}"# : "{}"
      let reply = try await api.send(.post, "/servers/\(id)/\(path)/", body, token: token.text)
      #expect(reply.status == 400 && reply.text == #"{"detail":"Server is suspended."}"#, "\(path): \(reply.text)")
    }
    let create = #"{"name": "a", "plan_id": 3, "os_id": 3, "location": "us-west"}"#
    #expect(try await api.send(.post, "/servers/", create, token: token.text).status == 402)
    #expect(try await api.send(.delete, "/servers/\(id)/", token: token.text).status == 204)
    try await service.settle()
    #expect(try await service.leftovers() == [])
  }

  @Test("By the operator: its tokens read, and whatever would change something is a 403 with the reason")
  func byOperator() async throws {
    let api = try await TestAPI.make()
    let service = api.service
    await service.billing.pollOnce()
    let (caller, token) = try await service.newCaller()
    let id = try await service.activeServer(of: caller)
    let email = try #require(try await service.store.account(caller.accountID)).email
    _ = try await service.store.suspend(accountOf: email, because: "Open relay.", at: service.clock.now)
    service.clock.advance(by: .seconds(2))
    await service.billing.pollOnce()
    try await service.settle()
    #expect(
      try await api.send(.get, "/account/me/", token: token.text).text.contains(
        #""suspended":"operator","deletion_at":null"#))
    #expect(try await api.send(.get, "/servers/\(id)/", token: token.text).json["status"] as? String == "suspended")
    let changes: [(HTTPRequest.Method, String)] = [
      (.delete, "/servers/\(id)/"), (.post, "/servers/\(id)/start/"), (.post, "/servers/"), (.post, "/ssh-keys/"),
      (.post, "/tokens/"), (.post, "/backups/"),
    ]
    for (method, path) in changes {
      let reply = try await api.send(method, path, method == .post ? "{}" : nil, token: token.text)
      #expect(reply.status == 403, "\(path)")
      #expect(reply.text == #"{"detail":"Your account is suspended: Open relay."}"#, "\(path)")
    }
    // Nobody else is concerned.
    #expect(try await api.send(.post, "/ssh-keys/", "{}").status == 400)
    _ = try await service.store.suspend(accountOf: email, because: nil, at: service.clock.now)
    service.clock.advance(by: .seconds(2))
    #expect(try await api.send(.delete, "/servers/\(id)/", token: token.text).status == 204)
  }
}

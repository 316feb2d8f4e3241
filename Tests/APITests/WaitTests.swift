import Core
import Engine
import Foundation
import HTTPTypes
import SimulatedDriver
import TestSupport
import Testing

@Suite("A client can wait for the result instead of asking again and again")
struct WaitTests {
  private static let prefer = HTTPField.Name("Prefer")!
  private static let applied = HTTPField.Name("Preference-Applied")!
  private static let body = #"{"name": "a", "plan_id": 3, "os_id": 3, "location": "us-west"}"#

  /// Sends the request, and lets the service work once the request waits.
  private func send(
    _ api: TestAPI, _ path: String, _ body: String?, prefer: String, whileWaiting: () async throws -> Void
  ) async throws -> TestAPI.Reply {
    async let reply = api.send(.post, path, body, headers: [Self.prefer: prefer])
    await api.service.clock.whenSleeping()
    try await whileWaiting()
    return try await reply
  }

  @Test("A create that waits is answered when the server is active, with its address and its password")
  func create() async throws {
    let api = try await TestAPI.make()
    let reply = try await send(api, "/servers/", Self.body, prefer: "wait=120") { try await api.service.settle() }
    #expect(reply.status == 201)
    #expect(reply.headers[Self.applied] == "wait=120")
    #expect(try reply.json["status"] as? String == "active")
    #expect(try reply.json["ip_address"] as? String == "127.80.0.1")
    #expect(try reply.json["message"] as? String == "Server is active.")
    #expect(try reply.json["password"] is String)
  }

  @Test("An action that waits shows what came of it")
  func action() async throws {
    let api = try await TestAPI.make()
    let id = try await api.activeServer()
    let reply = try await send(api, "/servers/\(id)/stop/", nil, prefer: "respond-async, wait=30") {
      try await api.service.settle()
    }
    #expect(reply.status == 200)
    #expect(try reply.json["message"] as? String == "Server is stopped")
    #expect(try (reply.json["server"] as? [String: Any])?["status"] as? String == "stopped")
  }

  @Test("When the time is up, the answer shows how far it has come")
  func timeIsUp() async throws {
    let api = try await TestAPI.make()
    let clock = api.service.clock
    let began = clock.now
    async let pending = api.send(.post, "/servers/", Self.body, headers: [Self.prefer: "wait=3"])
    while clock.now - began < .seconds(3) {
      await clock.whenSleeping()
      clock.advance(by: .seconds(1))
    }
    let reply = try await pending
    #expect(try reply.json["status"] as? String == "provisioning")
    #expect(
      try reply.json["message"] as? String == "Server is being provisioned. This may take 2-5 minutes.")
    #expect(reply.headers[Self.applied] == "wait=3")
  }

  @Test("A server that fails, or is deleted meanwhile, ends the wait")
  func failed() async throws {
    let api = try await TestAPI.make()
    let failing = Self.body.replacingOccurrences(of: "\"os_id\": 3", with: "\"os_id\": 5")
    let failed = try await send(api, "/servers/", failing, prefer: "wait=60") { try await api.service.settle() }
    #expect(try failed.json["status"] as? String == "error")
    #expect(try failed.json["status_reason"] is String)
    let deleted = try await send(api, "/servers/", Self.body, prefer: "wait=60") {
      _ = try await api.send(.delete, "/servers/2/")
    }
    #expect(deleted.status == 201)
  }

  @Test("The end of the service ends the wait")
  func shutdown() async throws {
    let api = try await TestAPI.make()
    let reply = try await send(api, "/servers/", Self.body, prefer: "wait=60") { api.service.changes.end() }
    #expect(reply.status == 201)
    #expect(try reply.json["status"] as? String == "provisioning")
  }

  @Test("A preference that makes no sense is ignored", arguments: ["wait", "wait=x", "wait=-1", "handling=lenient"])
  func nonsense(preference: String) async throws {
    let api = try await TestAPI.make()
    let reply = try await api.send(.post, "/servers/", Self.body, headers: [Self.prefer: preference])
    #expect(reply.status == 201)
    #expect(reply.headers[Self.applied] == nil)
  }
}

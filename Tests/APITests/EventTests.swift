import Core
import Engine
import Foundation
import HTTPTypes
import SimulatedDriver
import TestSupport
import Testing

@Suite("Events tell what happens to servers as it happens")
struct EventTests {
  private static let lastEventID = HTTPField.Name("Last-Event-ID")!

  @Test("A server's whole life can be followed, in order, with an id for each event")
  func life() async throws {
    let api = try await TestAPI.make()
    let stream = try await api.stream("/events/")
    #expect(stream.status == 200)
    #expect(stream.headers[.contentType] == "text/event-stream")
    var parts = stream.parts.makeAsyncIterator()
    #expect(await parts.next() == ": heartbeat\nid: 0\n\n")
    let id = try await api.activeServer()
    _ = try await api.send(.delete, "/servers/\(id)/")
    try await api.service.settle()
    var seen: [String] = []
    while seen.last != "delete succeeded", let part = await parts.next() {
      let event = try Event(part)
      #expect(event.server == id)
      seen.append(event.summary)
    }
    #expect(
      seen == [
        "provisioning", "create queued", "create running", "active", "create succeeded", "server.deleted",
        "delete queued", "delete running", "delete succeeded",
      ])
    stream.cancel()
  }

  @Test("The deletion of servers of an account out of credit is announced from the first day on, and called off")
  func deletion() async throws {
    let api = try await TestAPI.make()
    let service = api.service
    await service.billing.pollOnce()
    let (caller, token) = try await service.newCaller(credit: Money(microunits: 5_000))
    let id = try await service.activeServer(of: caller)
    service.clock.advance(by: .seconds(3600))
    await service.billing.pollOnce()
    let stream = try await api.stream("/events/", token: token.text, headers: [Self.lastEventID: "0"])
    var parts = stream.parts.makeAsyncIterator()
    func next() async throws -> Event {
      while let part = await parts.next() {
        let event = try Event(part)
        if event.type == "server.deletion" { return event }
      }
      throw CancellationError()
    }
    let announced = try await next()
    #expect(announced.server == Int(id.value))
    let day = try #require((announced.json["server"] as? [String: Any])?["deletion_at"] as? String)
    #expect(try await api.send(.get, "/account/me/", token: token.text).text.contains("\"deletion_at\":\"\(day)\""))
    let email = try #require(try await service.store.account(caller.accountID)).email
    _ = try await service.store.addCredit(
      Money(microunits: 1_000_000), to: email, note: "", at: service.clock.now)
    // Another process has written that: the service looks once a second.
    await service.clock.whenSleeping()
    service.clock.advance(by: .seconds(1))
    let calledOff = try await next()
    let server = try #require(calledOff.json["server"] as? [String: Any])
    #expect(server["deletion_at"] is NSNull && server["id"] as? Int == Int(id.value))
    stream.cancel()
  }

  @Test("Whoever lost the connection goes on after the last event it saw")
  func resumption() async throws {
    let api = try await TestAPI.make()
    _ = try await api.activeServer()
    let stream = try await api.stream("/events/", headers: [Self.lastEventID: "2"])
    var parts = stream.parts.makeAsyncIterator()
    let first = try Event(try #require(await parts.next()))
    #expect(first.id == 3)
    #expect(first.summary == "create running")
    stream.cancel()
    let bad = try await api.send(.get, "/events/", headers: [Self.lastEventID: "x"])
    #expect(bad.status == 400)
  }

  @Test("Whoever lost the connection before the first event goes on after what was there")
  func resumptionFromTheFirstWords() async throws {
    let api = try await TestAPI.make()
    _ = try await api.activeServer()
    let lost = try await api.stream("/events/")
    var words = lost.parts.makeAsyncIterator()
    let match = try #require(await words.next()?.wholeMatch(of: /: heartbeat\nid: (\d+)\n\n/)?.output)
    lost.cancel()
    let id = try await api.createServer(name: "meanwhile")
    let stream = try await api.stream("/events/", headers: [Self.lastEventID: String(match.1)])
    var parts = stream.parts.makeAsyncIterator()
    let first = try Event(try #require(await parts.next()))
    #expect(first.server == id && first.summary == "provisioning")
    stream.cancel()
  }

  @Test("Where events are not kept any more, the client is told that it missed some")
  func gap() async throws {
    let api = try await TestAPI.make()
    _ = try await api.activeServer()
    let stream = try await api.stream("/events/", headers: [Self.lastEventID: "4000"])
    var parts = stream.parts.makeAsyncIterator()
    let gap = try Event(try #require(await parts.next()))
    #expect(gap.type == "gap")
    #expect(gap.id == 5)
    stream.cancel()
  }

  @Test("Nothing is heard of another account's servers")
  func isolation() async throws {
    let api = try await TestAPI.make()
    _ = try await api.activeServer()
    let (caller, token) = try await api.service.newCaller()
    let stream = try await api.stream("/events/", token: token.text, headers: [Self.lastEventID: "0"])
    let created = try await api.service.servers.create(api.service.draft(name: "theirs"), caller)
    var parts = stream.parts.makeAsyncIterator()
    let first = try Event(try #require(await parts.next()))
    #expect(first.server == Int(created.view.server.id.value))
    stream.cancel()
  }

  @Test("In silence there is a heartbeat every 15 seconds, and a revoked token ends the stream")
  func heartbeat() async throws {
    let api = try await TestAPI.make()
    let clock = api.service.clock
    let began = clock.now
    let (caller, token) = try await api.service.newToken(
      of: api.service.owner.accountID, permissions: [Permission("servers:read")!])
    let stream = try await api.stream("/events/", token: token.text)
    var parts = stream.parts.makeAsyncIterator()
    #expect(await parts.next() == ": heartbeat\nid: 0\n\n")
    while clock.now - began < .seconds(15) {
      await clock.whenSleeping()
      clock.advance(by: .seconds(1))
    }
    #expect(await parts.next() == ": heartbeat\n\n")
    #expect(try await api.send(.delete, "/tokens/\(caller.tokenID)/").status == 204)
    await clock.whenSleeping()
    clock.advance(by: .seconds(1))
    #expect(await parts.next() == nil)
  }

  @Test("The end of the service ends every stream")
  func shutdown() async throws {
    let api = try await TestAPI.make()
    let stream = try await api.stream("/events/")
    var parts = stream.parts.makeAsyncIterator()
    _ = await parts.next()
    api.service.changes.end()
    #expect(await parts.next() == nil)
  }

  @Test("A client that wants JSON only is told that there is none here")
  func accept() async throws {
    let api = try await TestAPI.make()
    #expect(try await api.send(.get, "/events/", headers: [.accept: "application/json"]).status == 406)
    #expect(try await api.send(.get, "/events/", token: "").status == 401)
  }
}

/// One event as a client reads it.
private struct Event {
  let id: Int
  let type: String
  let json: [String: Any]

  init(_ text: String) throws {
    let match = try #require(text.wholeMatch(of: /id: (\d+)\nevent: ([a-z.]+)\ndata: (\{.*\})\n\n/)?.output)
    id = try #require(Int(match.1))
    type = String(match.2)
    json = try #require(try JSONSerialization.jsonObject(with: Data(match.3.utf8)) as? [String: Any])
  }

  var server: Int? { (json["server"] as? [String: Any])?["id"] as? Int }

  var summary: String {
    if let operation = json["operation"] as? [String: Any] {
      return "\(operation["kind"] as? String ?? "?") \(operation["status"] as? String ?? "?")"
    }
    return (json["server"] as? [String: Any])?["status"] as? String ?? type
  }
}

import APIClient
import Foundation
import Synchronization
import Testing

@Suite("Values of JSON go through the library as they came")
struct LibraryTests {
  @Test(
    "Order, numbers as they are written, and texts stay",
    arguments: [
      #"{"b":1.50,"a":[1e3,-0,true,null],"":{}}"#, #""\"\\\n\t""#, "[]", #"{"a":"é\u202e\u0000"}"#,
    ])
  func roundTrip(_ text: String) throws {
    #expect(try JSON(parsing: text.utf8).text == text)
    #expect(try JSON(parsing: JSON(parsing: text.utf8).prettyText.utf8).text == text)
  }

  @Test(
    "What is no JSON is refused, however deep it is",
    arguments: [
      "", "{", "[1,]", "01", "1.", "\"\u{1}\"", "\"\\x\"", "nul", "{\"a\" 1}", "1 2",
      String(repeating: "[", count: 100_000),
    ])
  func malformed(_ text: String) {
    #expect(throws: JSON.Malformed.self) { try JSON(parsing: text.utf8) }
  }

  @Test("Pairs and halves of pairs of UTF-16 are read")
  func surrogates() throws {
    #expect(try JSON(parsing: #""\ud83d\ude00""#.utf8).string == "😀")
    #expect(try JSON(parsing: #""\ud83d-\udc00""#.utf8).string == "\u{FFFD}-\u{FFFD}")
  }

  @Test("Errors about fields are told with their places")
  func fieldErrors() async throws {
    let service = try ScriptedServer { _ in
      .json(
        400,
        #"{"rules": [{}, {"port": ["Required."], "source_ips": {"1": ["No network."]}}], "name": ["Blank.", "Short."]}"#
      )
    }
    let client = APIClient(baseURL: try #require(URL(string: service.url + "/")), token: "t")
    let error = await #expect(throws: APIError.self) { try await client.request("POST", "/servers/", body: [:]) }
    #expect(
      error?.fields == [
        APIError.Field(name: "rules.1.port", messages: ["Required."]),
        APIError.Field(name: "rules.1.source_ips.1", messages: ["No network."]),
        APIError.Field(name: "name", messages: ["Blank.", "Short."]),
      ])
    #expect(error?.status == 400 && error?.detail == nil)
  }

  @Test("What is there all the time is in a list, though something of an earlier page is deleted meanwhile")
  func deletedMeanwhile() async throws {
    let ids = Mutex([1, 2, 3])
    let service = try ScriptedServer { request in
      func number(_ name: String) -> Int? {
        request.path.split { "?&".contains($0) }.first { $0.hasPrefix(name + "=") }.flatMap {
          Int($0.dropFirst(name.count + 1))
        }
      }
      let (after, page) = (number("after"), number("page") ?? 1)
      return ids.withLock { ids in
        let rest = after.map { last in ids.filter { $0 > last } } ?? Array(ids.dropFirst((page - 1) * 2))
        let shown = rest.prefix(2)
        let link = after == nil ? "page=\(page + 1)" : "after=\(shown.last ?? 0)"
        let next = rest.count > 2 ? "\"/api/v1/servers/?\(link)\"" : "null"
        let results = shown.map { #"{"id": \#($0)}"# }.joined(separator: ", ")
        ids.removeAll { $0 == 1 }
        return .json(200, #"{"count": 3, "next": \#(next), "results": [\#(results)]}"#)
      }
    }
    let client = APIClient(baseURL: try #require(URL(string: service.url)), token: "t")
    #expect(try await client.list("/servers/").compactMap { $0["id"]?.int } == [1, 2, 3])
    #expect(service.requests.count == 2)
  }

  /// Each connection ends before its reply does.
  private func firstTwoEvents(
    _ answers: [ScriptedServer.Answer], _ retry: RetryPolicy = .standard
  ) async throws -> [String] {
    let rest = Mutex(answers)
    let service = try ScriptedServer { _ in rest.withLock { $0.isEmpty ? .cut : $0.removeFirst() } }
    let client = APIClient(baseURL: try #require(URL(string: service.url)), token: "t", retry: retry)
    var ids: [String] = []
    for try await event in client.allEvents() {
      ids.append(event.id)
      if ids.count == 2 { break }
    }
    return ids
  }

  private static func told(_ text: String) -> ScriptedServer.Answer {
    .raw("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nContent-Length: 4000\r\n\r\n" + text)
  }

  private static func event(_ id: Int) -> String { "id: \(id)\nevent: operation\ndata: {}\n\n" }

  @Test("A stream that was quiet for longer than a service is waited for goes on when it is cut")
  func quietStream() async throws {
    // Half a second is between two connections.
    let retry = RetryPolicy(delays: [], maximumThrottleSeconds: 0, reconnecting: .milliseconds(400))
    let ids = try await firstTwoEvents(
      [Self.told(Self.event(1)), Self.told(": heartbeat\n\n"), Self.told(Self.event(2))], retry)
    #expect(ids == ["1", "2"])
  }

  @Test("A stream goes on after what a service that restarts, or a gateway before it, says meanwhile")
  func gateway() async throws {
    let ids = try await firstTwoEvents([
      Self.told(Self.event(1)), .json(503, #"{"detail": "The service is shutting down."}"#),
      .raw("HTTP/1.1 502 Bad Gateway\r\nContent-Type: text/html\r\nConnection: close\r\n\r\n<h1>502</h1>"),
      Self.told(Self.event(2)),
    ])
    #expect(ids == ["1", "2"])
    await #expect(throws: APIError.self) { try await firstTwoEvents([.json(503, #"{"detail": "Full."}"#)]) }
  }

  @Test("A task that is cancelled gives up its request")
  func cancellation() async throws {
    let service = try ScriptedServer { _ in .begin("") }
    let client = APIClient(baseURL: try #require(URL(string: service.url)), token: "t")
    let task = Task { try await client.servers() }
    while service.requests.isEmpty { await Task.yield() }
    task.cancel()
    await #expect(throws: (any Error).self) { try await task.value }
  }

  @Test("A program of somebody else's makes a server, and waits until it is there, as docs/api-client.md has it")
  func example() async throws {
    let service = try RunningService()
    defer { withExtendedLifetime(service) {} }
    let client = APIClient(
      baseURL: try #require(URL(string: service.url)), token: service.token, userAgent: "example/1")
    let made = try await client.createServer(
      APIClient.CreateServer(name: "web", planId: 3, osId: 3, location: "us-west"))
    #expect(made.status == "provisioning" && made.password != nil)
    let server = try await client.settledServer(made.id, within: .seconds(60))
    #expect(server.status == "active" && server.ipAddress?.hasPrefix("127.") == true)
    #expect(try await client.servers().map(\.id) == [made.id])
    try await client.deleteServer(made.id)
    let error = await #expect(throws: APIError.self) { try await client.server(made.id) }
    #expect(error?.isNotFound == true)
  }
}

import Foundation
import Synchronization
import Testing

@Suite("A service in trouble is told of in words and by the exit status, and nothing is made twice")
struct TroubleTests {
  private static let server =
    #"{"id": 7, "name": "web", "status": "active", "ip_address": "127.80.0.1", "uuid": "0f8fad5b-d9cb-469f-a165-70867728950e", "username": "root", "ssh_port": 22, "plan": {"id": 3, "name": "Nano VPS"}, "os": {"id": 3, "name": "Debian 12"}, "location": "us-west", "created_at": "2026-01-10T14:30:00Z"}"#

  struct Trouble: Sendable, CustomTestStringConvertible {
    let testDescription: String
    let answer: ScriptedServer.Answer
    let status: Int32
    let says: String
    var isOfListsOnly = false
  }

  static let troubles = [
    Trouble(
      testDescription: "full",
      answer: .json(503, #"{"detail": "No capacity at us-west for this plan."}"#, ["Retry-After": "60"]),
      status: 5, says: "Error: No capacity at us-west for this plan. Try again in 60 s.\n"),
    Trouble(
      testDescription: "a fault of its own",
      answer: .json(500, #"{"detail": "Internal server error.", "request_id": "r1"}"#, ["X-Request-ID": "r1"]),
      status: 1,
      says: "Error: Internal server error. (request r1)\n"),
    Trouble(
      testDescription: "a token that it does not know", answer: .json(401, #"{"detail": "Invalid token."}"#), status: 4,
      says: "Error: Invalid token.\n"),
    Trouble(
      testDescription: "not there", answer: .json(404, #"{"detail": "Not found."}"#), status: 3,
      says: "Error: Not found.\n"),
    Trouble(
      testDescription: "throttled for longer than is waited for",
      answer: .json(429, #"{"detail": "Request was throttled."}"#, ["Retry-After": "3600"]), status: 4,
      says: "Error: Request was throttled. Try again in 3600 s.\n"),
    Trouble(
      testDescription: "another service",
      answer: .raw("HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nConnection: close\r\n\r\n<h1>Hello</h1>"),
      status: 1, says: "Error: The answer (status 200) is no JSON but text/html. Is this the URL of the service?\n"),
    Trouble(
      testDescription: "JSON that is no list", answer: .json(200, #"{"hello": 1}"#), status: 1,
      says: "Error: The answer is no list.\n", isOfListsOnly: true),
    Trouble(
      testDescription: "words that would move a cursor",
      answer: .json(400, #"{"detail": "\u001b[2Jgone\nError: forged"}"#), status: 4,
      says: "Error: \\u{1B}[2Jgone\nError: Error: forged\n"),
  ]

  @Test("Each trouble has its words and its status", arguments: troubles)
  func trouble(_ trouble: Trouble) async throws {
    let service = try ScriptedServer { _ in trouble.answer }
    for output in ["table", "json", "yaml", "name"] {
      let result = try await User(url: service.url).run("server", "list", "-o", output)
      #expect(
        result.status == trouble.status && result.output.isEmpty && result.errors == trouble.says, "\(result.all)")
    }
  }

  /// What else asks the service, beside all whose JSON is its own.
  private static let others = [
    "events", "server ssh 7", "server scp 7:a b", "server delete 7 --yes", "backup delete 7 --yes",
    "snapshot delete 7 --yes", "ssh-key delete 7 --yes", "token delete 7 --yes", "ssh-config",
  ]

  private static let isLong = ProcessInfo.processInfo.environment["VPSD_LONG_TESTS"] != nil

  /// Each command meets one of the troubles, and in `make test-long` all of them.
  @Test(
    "Every command tells of each trouble in the same words, with the same status, and prints nothing",
    arguments: troubles.indices)
  func troubleOfAll(_ number: Int) async throws {
    let trouble = Self.troubles[number]
    let service = try ScriptedServer { _ in trouble.answer }
    let user = try User(url: service.url)
    let key = try user.write("ssh-ed25519 \(Self.key) me@laptop\n", to: "key.pub")
    let file = try user.write("servers: [{name: web, plan: nano, os: x, location: us-west}]", to: "servers.yaml")
    let lines = SchemaTests.commands.map { "\($0.command) \($0.rest)" } + Self.others
    for (place, line) in lines.enumerated() {
      let isNoEvents = trouble.isOfListsOnly && line == "events"
      guard Self.isLong || isNoEvents || place % Self.troubles.count == number else { continue }
      if trouble.isOfListsOnly, !isNoEvents, !line.contains(" list") { continue }
      let says = isNoEvents ? "Error: The service tells no events.\n" : trouble.says
      let words = line.replacing("KEY.pub", with: key).replacing("FILE", with: file).replacing(
        "--wait", with: "--no-wait")
      let result = try await user.run(User.program, words.split(separator: " ").map(String.init) + ["-o", "json"])
      #expect(
        result.status == trouble.status && result.output.isEmpty && result.errors.hasSuffix(says),
        "\(line): \(result.status) \(result.all)")
    }
  }

  private static let key = "AAAAC3NzaC1lZDI1NTE5AAAAI" + String(repeating: "A", count: 43)

  @Test("docs/vpsctl-exits.md has them all, word for word")
  func document() throws {
    let text = try String(
      contentsOf: User.programs.deletingLastPathComponent().deletingLastPathComponent()
        .appendingPathComponent("docs/vpsctl-exits.md"), encoding: .utf8)
    for trouble in Self.troubles {
      let says = trouble.says.split(separator: "\n").map { "`\($0)`" }.joined(separator: "<br>")
      #expect(text.contains("| \(trouble.testDescription) | \(says) | \(trouble.status) |"), "\(trouble)")
    }
  }

  @Test("Where nobody listens it fails at once")
  func nobody() async throws {
    let nobody = try await User(url: "http://127.0.0.1:1").run("server", "list")
    #expect(
      nobody.status == 1 && nobody.errors.hasPrefix("Error: No connection to http://127.0.0.1:1/api/v1/servers/: "))
  }

  @Test("What a later version of the service adds goes through, and a table shows what it knows")
  func unknownFields() async throws {
    let service = try ScriptedServer { _ in
      .json(
        200,
        #"{"count": 1, "results": [{"id": 7, "name": "web", "status": "dreaming", "mood": {"now": [1.50, "x"]}}], "more": 1}"#
      )
    }
    let user = try User(url: service.url)
    let json = try await user.run("server", "list", "-o", "json")
    #expect(json.output.contains("\"mood\"") && json.output.contains("1.50"))
    let table = try await user.run("server", "list", "--columns", "name,status,mood.now")
    #expect(table.output == "NAME  STATUS    MOOD.NOW\nweb   dreaming  1.50, x\n", "\(table.all)")
  }

  @Test("Names that would move a cursor or turn a line are escaped in every output")
  func hostileNames() async throws {
    let service = try ScriptedServer { _ in
      .json(
        200,
        #"{"count": 1, "results": [{"id": 7, "name": "a\u001b[31m\u202eb\u0007\u009b", "status": "active\n9  forged", "created_at": "\u001b]0;x\u0007\n2026-01-10T14:30:00Z"}]}"#
      )
    }
    let user = try User(url: service.url)
    for output in ["table", "json", "yaml", "name"] {
      let result = try await user.run("server", "list", "-o", output)
      let scalars = result.output.unicodeScalars
      #expect(!scalars.contains { $0 != "\n" && ($0.value < 32 || (127..<160).contains($0.value) || $0 == "\u{202E}") })
      #expect(!result.output.contains("\n9  forged"))
    }
  }

  @Test("All pages of a list are read, at the address that the service is reached by")
  func pages() async throws {
    let service = try ScriptedServer { request in
      request.path.contains("page=2")
        ? .json(200, #"{"count": 2, "next": null, "results": [{"id": 2, "name": "b"}]}"#)
        : .json(
          200,
          #"{"count": 2, "next": "https://inner.example/api/v1/servers/?page=2", "results": [{"id": 1, "name": "a"}]}"#)
    }
    #expect(try await User(url: service.url).run("server", "list", "-o", "name").output == "a\nb\n")
    #expect(service.requests.map(\.path) == ["/api/v1/servers/?after=0", "/api/v1/servers/?page=2"])
  }

  @Test("A POST whose connection is lost is sent again with the same key, and answered once")
  func lostPost() async throws {
    let tries = Mutex(0)
    let service = try ScriptedServer { request in
      guard request.method == "POST" else { return .json(200, Self.server) }
      return tries.withLock { tries in
        tries += 1
        return tries < 3
          ? .cut
          : .json(
            200,
            #"{"status": "success", "message": "Server is stopping", "server": {"id": 7, "name": "web", "status": "stopping"}}"#
          )
      }
    }
    let result = try await User(url: service.url).run("server", "stop", "7", "--no-wait")
    #expect(result.status == 0 && result.output == "web (7): Server is stopping\n", "\(result.all)")
    let posts = service.requests.filter { $0.method == "POST" }
    #expect(posts.count == 3)
    #expect(
      Set(posts.map { $0.header("Idempotency-Key") }).count == 1 && posts[0].header("Idempotency-Key")?.count == 36)
  }

  @Test("A create whose answer is lost on the way makes one server")
  func lostAnswer() async throws {
    let service = try RunningService()
    defer { withExtendedLifetime(service) {} }
    let inner = try #require(service.url.split(separator: ":").last.flatMap { Int($0) })
    let lost = Mutex(0)
    let proxy = try ScriptedServer { request in
      let answer = ScriptedServer.forward(request, to: inner)
      guard request.method == "POST" else { return .raw(answer) }
      let isLost = lost.withLock { lost in
        lost += 1
        return lost <= 2
      }
      return isLost ? .cut : .raw(answer)
    }
    let user = try User(url: proxy.url, token: service.token)
    let created = try await user.run(
      "server", "create", "--name", "web", "--plan", "nano", "--os", "3", "--location", "us-west", "--no-wait", "-o",
      "json")
    #expect(created.status == 0, "\(created.all)")
    let listed = try await user.run("server", "list", "-o", "json").list
    let id = try created.object["id"] as? Int
    #expect(listed.count == 1 && listed[0]["id"] as? Int == id)
    #expect(try created.object["password"] is String)
  }

  @Test("A delete whose answer is lost is done, though the second time nothing is there")
  func lostDelete() async throws {
    let tries = Mutex(0)
    let service = try ScriptedServer { request in
      guard request.method == "DELETE" else { return .json(200, Self.server) }
      return tries.withLock { tries in
        tries += 1
        return tries == 1 ? .cut : .json(404, #"{"detail": "Not found."}"#)
      }
    }
    let result = try await User(url: service.url).run("server", "delete", "7", "--yes")
    #expect(result.status == 0 && result.output == "web (7) is deleted.\n", "\(result.all)")
  }

  @Test("A service that is slow is waited for, and one that says when to come back is asked again then")
  func slow() async throws {
    let tries = Mutex(0)
    let service = try ScriptedServer { _ in
      tries.withLock { tries in
        tries += 1
        return tries == 1
          ? .json(429, #"{"detail": "Request was throttled."}"#, ["Retry-After": "1"])
          : .json(200, #"{"count": 0, "results": []}"#)
      }
    }
    let result = try await User(url: service.url).run("server", "list", "--no-headers")
    #expect(result.status == 0 && result.all.isEmpty, "\(result.all)")
  }

  @Test("A service that throttles for longer than there is to wait is not waited for")
  func throttledBeyondTimeout() async throws {
    let service = try ScriptedServer { request in
      request.method == "POST"
        ? .json(429, #"{"detail": "Request was throttled."}"#, ["Retry-After": "20"]) : .json(200, Self.server)
    }
    let result = try await User(url: service.url).run("server", "stop", "7", "--wait", "--timeout", "15s")
    #expect(
      result.status == 4 && result.errors.hasSuffix("Error: Request was throttled. Try again in 20 s.\n"),
      "\(result.all)")
    #expect(service.requests.count { $0.method == "POST" } == 1)
  }

  @Test("A service that has no room is asked again when it says, for as long as is waited, and not without waiting")
  func noRoom() async throws {
    let tries = Mutex(0)
    let service = try ScriptedServer { request in
      guard request.method == "POST" else { return .json(200, Self.server) }
      return tries.withLock { tries in
        tries += 1
        return tries % 4 == 0
          ? .json(200, #"{"status": "success", "message": "Server is stopping", "server": {"id": 7, "name": "web"}}"#)
          : .json(503, #"{"detail": "No capacity at us-west."}"#, ["Retry-After": tries > 3 ? "60" : "1"])
      }
    }
    let user = try User(url: service.url)
    // It comes to be done within the time, and then events are waited for that this service has none of.
    let patient = try await user.run("server", "stop", "7", "--wait", "--timeout", "50s")
    #expect(
      patient.errors.components(separatedBy: "No capacity at us-west. It is asked again in 1 s.\n").count == 4,
      "\(patient.all)")
    let posts = service.requests.filter { $0.method == "POST" }
    #expect(posts.count == 4 && Set(posts.map { $0.header("Idempotency-Key") }).count == 1)
    let impatient = try await user.run("server", "stop", "7", "--wait", "--timeout", "50s")
    #expect(impatient.status == 5 && impatient.errors == "Error: No capacity at us-west. Try again in 60 s.\n")
    let alone = try await user.run("server", "stop", "7", "--no-wait")
    #expect(alone.status == 5 && alone.errors == "Error: No capacity at us-west. Try again in 60 s.\n")
  }

  @Test("There is one time for all of it: what a service without room took of it is not waited for once more")
  func oneDeadline() async throws {
    let tries = Mutex<[String: Int]>([:])
    let service = try ScriptedServer { request in
      if request.path.contains("/events/") {
        return .begin("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n: heartbeat\nid: 4\n\n")
      }
      if request.path.contains("/operations/") {
        let kinds = ["rebuild", "stop"].map { #"{"id": 1, "kind": "\#($0)", "status": "running"}"# }
        return .json(200, #"{"count": 2, "results": [\#(kinds.joined(separator: ", "))]}"#)
      }
      guard request.method == "POST" else { return .json(200, Self.server) }
      return tries.withLock { tries in
        tries[request.path, default: 0] += 1
        return tries[request.path] == 1
          ? .json(503, #"{"detail": "No capacity at us-west."}"#, ["Retry-After": "20"])
          : .json(200, #"{"status": "success", "message": "It is", "server": {"id": 7, "name": "web"}}"#)
      }
    }
    let user = try User(url: service.url)
    let begin = ContinuousClock.now
    let results = await [["rebuild", "7", "--yes"], ["stop", "7"]].concurrently { words in
      try? await user.run(User.program, ["server"] + words + ["--wait", "--timeout", "30s"])
    }
    // Twice it would be fifty seconds.
    #expect(ContinuousClock.now - begin < .seconds(50))
    for result in results {
      #expect(
        result?.status == 5 && result?.errors.contains("It is not done in the time") == true, "\(result?.all ?? "")")
    }
    let held = service.requests.filter { $0.path.hasSuffix("/stop/") }.map { $0.header("Prefer") }
    #expect(held.count == 2 && held[0] == "wait=30" && (0...10).contains { held[1] == "wait=\($0)" }, "\(held)")
  }

  private static func forever() throws -> ScriptedServer {
    try ScriptedServer { request in
      if request.method == "POST" {
        return .json(201, server.replacing(#""active""#, with: #""provisioning""#))
      }
      if request.path.contains("/events/") {
        return .begin("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n: heartbeat\nid: 4\n\n")
      }
      let text =
        request.path.contains("/servers/7/")
        ? server.replacing(#""active""#, with: #""provisioning""#)
        : #"{"count": 1, "results": [{"id": 3, "slug": "x", "code": "x", "name": "x"}]}"#
      return .json(200, text)
    }
  }

  private static let create = [
    "server", "create", "--name", "web", "--plan", "x", "--os", "x", "--location", "x", "--wait",
  ]

  @Test("What is not done in time goes on, with the status 5 and without asking again and again")
  func timeout() async throws {
    let service = try Self.forever()
    let result = try await User(url: service.url).run(User.program, Self.create + ["--timeout", "10s"])
    #expect(
      result.status == 5 && result.errors.contains("web (7) is created all the same: vpsctl server show 7"),
      "\(result.all)")
    // It looks when the stream begins, and not once more without an event.
    #expect(service.requests.count { $0.path.contains("/servers/7/") } == 1)
  }

  @Test("Ctrl-C says what goes on without the command")
  func interrupt() async throws {
    let service = try Self.forever()
    let user = try User(url: service.url)
    let result = try await user.run(
      User.program, Self.create,
      began: { process in
        Thread {
          while !service.requests.contains(where: { $0.path.contains("/servers/7/") }) { usleep(10_000) }
          kill(process, SIGINT)
        }.start()
      })
    #expect(
      result.status == 130 && result.errors.contains("Interrupted. web (7) is created all the same"), "\(result.all)")
  }

  @Test("A stream of events that is cut goes on after the last event")
  func eventsGoOn() async throws {
    let head = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n"
    func event(_ id: Int) -> String {
      "id: \(id)\nevent: server.status\ndata: {\"id\":\(id),\"at\":\"2026-01-10T14:30:00Z\",\"server\":{\"id\":7,\"name\":\"web\",\"status\":\"active\"}}\n\n"
    }
    let (first, second) = (head + event(1) + "id: 2\neve", head + event(2) + event(3))
    let service = try ScriptedServer { request in
      request.header("Last-Event-ID") == "1" ? .begin(second) : .raw(first)
    }
    let result = try await User(url: service.url).run("events", "--limit", "3", "-o", "name")
    #expect(result.status == 0 && result.output == "1\n2\n3\n", "\(result.all)")
    let line = try await User(url: service.url).run("events", "--limit", "1")
    #expect(line.output == "2026-01-10T14:30:00Z  web (7)  is active\n")
  }
}

extension [[String]] {
  fileprivate func concurrently<Value: Sendable>(_ body: @escaping @Sendable ([String]) async -> Value) async -> [Value]
  {
    await withTaskGroup(of: Value.self) { group in
      for words in self { group.addTask { await body(words) } }
      return await group.reduce(into: []) { $0.append($1) }
    }
  }
}

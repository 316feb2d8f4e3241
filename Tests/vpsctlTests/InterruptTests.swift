import Foundation
import Synchronization
import Testing

@Suite("Ctrl-C while the service has not answered yet loses nothing that is told only once")
struct InterruptTests {
  /// A service that is asked through somebody who presses Ctrl-C before its answer comes.
  private final class Impatience: Sendable {
    private let process = Mutex<pid_t>(0)
    private let presses: Int
    private let home: String

    init(presses: Int, home: String) {
      self.presses = presses
      self.home = home
    }

    func watch(_ process: pid_t) { self.process.withLock { $0 = process } }

    /// Returns when the program has said that it noticed, each time.
    ///
    /// - Parameter words: What it has to say first.
    func press(after words: String = "") {
      var process: pid_t = 0
      while process == 0 { process = self.process.withLock { $0 } }
      while !words.isEmpty, !said.contains(words), kill(process, 0) == 0 { usleep(10_000) }
      for number in 1...presses {
        kill(process, SIGINT)
        while said.components(separatedBy: "Interrupted.").count <= number, kill(process, 0) == 0 {
          usleep(10_000)
          // In its very first moments it may not listen yet; whoever is not heard presses again.
          if !words.isEmpty { kill(process, SIGINT) }
        }
      }
    }

    private var said: String {
      let files = (try? FileManager.default.contentsOfDirectory(atPath: home)) ?? []
      return files.filter { $0.hasSuffix(".err") }
        .map { (try? String(contentsOfFile: "\(home)/\($0)", encoding: .utf8)) ?? "" }.joined()
    }
  }

  private func interrupted(
    _ words: [String], presses: Int, _ service: RunningService
  ) async throws -> (User.Result, User) {
    let inner = try #require(service.url.split(separator: ":").last.flatMap { Int($0) })
    let user = try service.user()
    _ = try user.write("#!/bin/sh\n" + String(repeating: "# it's long\n", count: 500), to: "boot.sh")
    let impatience = Impatience(presses: presses, home: user.path)
    let proxy = try ScriptedServer { request in
      let answer = ScriptedServer.forward(request, to: inner)
      if request.method == "POST" { impatience.press() }
      return .raw(answer)
    }
    let through = ["VPSCTL_URL": proxy.url]
    return (try await user.run(User.program, words, with: through, began: { impatience.watch($0) }), user)
  }

  static let commands = [
    ["server", "create", "--name", "new", "--plan", "nano", "--os", "3", "--location", "us-west"],
    [
      "server", "create", "--name", "new", "--plan", "nano", "--os", "debian-12", "--location", "us-west",
      "--user-data", "boot.sh",
    ],
    ["server", "rebuild", "web", "--yes"], ["token", "create", "--name", "ci", "--permission", "servers:read"],
  ]

  private static func secret(of reply: [String: Any]) -> String? {
    reply["password"] as? String ?? reply["token"] as? String
  }

  @Test("The first one waits for the answer and tells the secret in it", arguments: commands, ["table", "json"])
  func answerIsTold(_ words: [String], _ output: String) async throws {
    let service = try RunningService()
    defer { withExtendedLifetime(service) {} }
    let made = try await service.user().run(
      "server", "create", "--name", "web", "--plan", "nano", "--os", "3", "--location", "us-west", "--wait")
    #expect(made.status == 0)
    let (result, _) = try await interrupted(words + ["-o", output], presses: 1, service)
    #expect(result.status == 130 && result.errors.contains("Ctrl-C again gives it up"), "\(result.all)")
    if output == "json" {
      #expect(try Self.secret(of: result.object)?.utf8.count ?? 0 > 8, "\(result.all)")
    } else {
      #expect(result.output.contains(words[0] == "token" ? "vps_" : "password  "), "\(result.all)")
    }
  }

  @Test("The second one says how the answer is had again, and nothing is done twice", arguments: commands)
  func answerIsHadAgain(_ words: [String]) async throws {
    let service = try RunningService()
    defer { withExtendedLifetime(service) {} }
    let made = try await service.user().run(
      "server", "create", "--name", "web", "--plan", "nano", "--os", "3", "--location", "us-west", "--wait")
    #expect(made.status == 0)
    let (result, user) = try await interrupted(words, presses: 2, service)
    #expect(result.status == 130 && result.output.isEmpty, "\(result.all)")
    let command = try #require(result.errors.split(separator: "\n").last.map { $0.drop { $0 == " " } })
    #expect(command.hasPrefix("vpsctl api POST /"), "\(result.errors)")
    #expect(words.contains("--user-data") == !Self.keptRequests(of: user).isEmpty)
    #expect(Self.keptRequests(of: user).allSatisfy { $0 == 0o600 })
    let again = try await user.run("/bin/sh", ["-c", String(command)])
    #expect(again.status == 0, "\(again.all)")
    #expect(try Self.secret(of: again.object)?.utf8.count ?? 0 > 8, "\(again.all)")
    let counts = [
      try await user.run("server", "list", "-o", "json").list.count,
      try await user.run("token", "list", "-o", "json").list.count,
      try await user.run("server", "history", "web", "-o", "json").list.count { $0["kind"] as? String == "rebuild" },
    ]
    #expect(counts == (words[0] == "token" ? [1, 2, 0] : words[1] == "create" ? [2, 1, 0] : [1, 1, 1]), "\(counts)")
  }

  /// The permissions of the bodies that were too long to be printed.
  private static func keptRequests(of user: User) -> [Int] {
    let folder = user.path + "/state/vpsctl/requests"
    return ((try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []).map { name in
      let attributes = try? FileManager.default.attributesOfItem(atPath: "\(folder)/\(name)")
      return attributes?[.posixPermissions] as? Int ?? -1
    }
  }

  // MARK: - A service without room

  static let waiting = [
    ["server", "create", "--name", "new", "--plan", "x", "--os", "x", "--location", "x"],
    ["server", "rebuild", "7", "--yes"], ["server", "start", "7"], ["backup", "create", "7"],
  ]

  private static let noRoom = ScriptedServer.Answer.json(503, #"{"detail": "No capacity."}"#, ["Retry-After": "60"])

  /// - Parameter answers: To what is to change something; the last one again and again.
  private func interruptedWithoutRoom(
    _ words: [String], _ answers: [ScriptedServer.Answer]
  ) async throws -> User.Result {
    let asked = Mutex(0)
    // On a connection that was used before, libcurl itself would ask once more.
    let fresh = ["Connection": "close"]
    let service = try ScriptedServer { request in
      guard request.method == "GET" else {
        return asked.withLock { asked in
          asked += 1
          return answers[min(asked, answers.count) - 1]
        }
      }
      if request.path.contains("/servers/7/") {
        return .json(200, #"{"id": 7, "name": "web", "status": "stopped", "uuid": "u"}"#, fresh)
      }
      return .json(200, #"{"count": 1, "results": [{"id": 3, "slug": "x", "code": "x", "name": "x"}]}"#, fresh)
    }
    let user = try User(url: service.url)
    _ = try user.write("servers: [{name: new, plan: x, os: x, location: x}]", to: "servers.yaml")
    let impatience = Impatience(presses: 1, home: user.path)
    return try await user.run(User.program, words + ["--wait", "--timeout", "600s"]) { process in
      impatience.watch(process)
      Thread { impatience.press(after: "It is asked again in 60 s.") }.start()
    }
  }

  @Test("While a service without room is waited for nothing is begun, which is what is said", arguments: waiting)
  func nothingIsBegun(_ words: [String]) async throws {
    let result = try await interruptedWithoutRoom(words, [Self.noRoom])
    #expect(
      result.status == 130
        && result.errors.hasSuffix("\nInterrupted. Nothing is begun: the service did not take it yet.\n"),
      "\(result.all)")
  }

  @Test("Of several changes that one is named of which nothing is begun")
  func ofSeveral() async throws {
    let result = try await interruptedWithoutRoom(["apply", "-f", "servers.yaml"], [Self.noRoom])
    let says =
      "\nInterrupted. Of new nothing is begun: the service did not take it yet. What stands above it is done.\n"
    #expect(result.status == 130 && result.errors.hasSuffix(says), "\(result.all)")
  }

  @Test("Whose answer was lost before may have been begun")
  func lostBefore() async throws {
    let result = try await interruptedWithoutRoom(["server", "start", "7"], [.cut, Self.noRoom])
    #expect(result.status == 130 && result.errors.contains("Interrupted. web (7) goes on starting"), "\(result.all)")
  }
}

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
    func press() {
      var process: pid_t = 0
      while process == 0 { process = self.process.withLock { $0 } }
      for number in 1...presses {
        kill(process, SIGINT)
        while said.components(separatedBy: "Interrupted.").count <= number, kill(process, 0) == 0 { usleep(10_000) }
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
}

import Foundation
import Testing

@Suite("On a terminal vpsctl waits, says what it waits for, and colours what it shows; nowhere else")
struct TerminalTests {
  private static let create = "vpsctl server create --name web --plan nano --os 3 --location us-west"

  /// Of a terminal, which shows both outputs as one.
  private func shown(_ command: String, _ user: User, with more: [String: String] = [:]) async throws -> String {
    let result = try await user.run("/usr/bin/script", ["-qec", command, "/dev/null"], with: more)
    #expect(result.status == 0, "\(result.all)")
    return result.output
  }

  @Test("A create is waited for with a line that is taken away again, and not in a pipe")
  func waits() async throws {
    let service = try RunningService()
    defer { withExtendedLifetime(service) {} }
    let user = try service.user()
    let terminal = try await shown(Self.create, user)
    #expect(terminal.contains(/\r\u{1B}\[Kweb \(1\) is being created … [0-9]+ s/), "\(terminal)")
    #expect(terminal.contains("\r\u{1B}[Kweb (1) is active.\r\n"), "\(terminal)")
    let pipe = try await user.run(
      "server", "create", "--name", "b", "--plan", "nano", "--os", "3", "--location", "us-west")
    #expect(pipe.status == 0 && pipe.output.contains("b (2) is being created."), "\(pipe.all)")
    #expect(!pipe.all.contains("\u{1B}"))
  }

  @Test("States have colours on a terminal, and never with NO_COLOR, on a dumb one, in JSON, or in a pipe")
  func colours() async throws {
    let service = try RunningService()
    defer { withExtendedLifetime(service) {} }
    let user = try service.user()
    _ = try await user.run("/bin/sh", ["-c", Self.create + " --wait"])
    #expect(try await shown("vpsctl server list", user).contains("\u{1B}[32mactive\u{1B}[0m"))
    #expect(try await !shown("vpsctl server list", user, with: ["NO_COLOR": "1"]).contains("\u{1B}"))
    #expect(try await !shown("vpsctl server list", user, with: ["TERM": "dumb"]).contains("\u{1B}"))
    #expect(try await !shown("vpsctl server list -o json", user).contains("\u{1B}"))
    #expect(try await !shown("vpsctl server list | cat", user).contains("\u{1B}"))
  }
}

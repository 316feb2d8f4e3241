import Core
import Foundation
import TestSupport
import Testing

@testable import NoticeDelivery

@Suite("A program that takes messages")
struct MailProgramTests {
  /// A script in a folder of its own, as an operator would write one.
  static func script(_ text: String, in folder: URL) throws -> String {
    let path = folder.appendingPathComponent("mail program").path
    try Data("#!/bin/sh\n\(text)\n".utf8).write(to: URL(fileURLWithPath: path))
    chmod(path, 0o755)
    return path
  }

  static func deliver(
    _ script: String, _ arguments: [String] = [], limit: Duration = .seconds(120), letter: NoticeLetter? = nil
  ) async throws {
    try await MailProgram([script] + arguments, from: MailMessageTests.from, limit: limit)
      .deliver(letter ?? MailMessageTests.letter())
  }

  @Test("It gets the message on standard input and its arguments as they stand: no shell reads them")
  func started() async throws {
    try await withTemporaryFolder { folder in
      let script = try Self.script("cat > \"$1\"; printf '%s|' \"$@\" > \"$1.arguments\"", in: folder)
      let target = folder.path + "/message"
      try await Self.deliver(script, [target, "$(id)", "a b", "; exit 1"])
      let expected = try MailMessageTests.message(MailMessageTests.letter())
      #expect(try String(contentsOfFile: target, encoding: .utf8) == expected)
      #expect(
        try String(contentsOfFile: target + ".arguments", encoding: .utf8) == "\(target)|$(id)|a b|; exit 1|")
    }
  }

  @Test("It has no file of the service's open, and no word of its environment")
  func isolated() async throws {
    try await withTemporaryFolder { folder in
      let script = try Self.script("ls /proc/self/fd > \"$1\"; env >> \"$1\"", in: folder)
      let held = open("/dev/null", O_RDONLY)
      defer { close(held) }
      try await Self.deliver(script, [folder.path + "/seen"])
      let seen = try String(contentsOfFile: folder.path + "/seen", encoding: .utf8)
      let descriptors = seen.split(separator: "\n").prefix { Int($0) != nil }
      #expect(descriptors.count <= 4, "\(seen)")
      // A shell has some of its own, and is given others. To set one here would not be safe: other threads read them.
      let given: Set = ["PATH", "LC_ALL", "HOME", "PWD", "OLDPWD", "SHLVL", "_"]
      let own = Set(ProcessInfo.processInfo.environment.keys).subtracting(given)
      try #require(!own.isEmpty)
      let names = Set(seen.split(separator: "\n").map { String($0.prefix { $0 != "=" }) })
      #expect(names.contains("PATH") && names.isDisjoint(with: own), "\(seen)")
    }
  }

  @Test("One that fails is told with the first words of what it says, and a long complaint is cut")
  func fails() async throws {
    try await withTemporaryFolder { folder in
      let script = try Self.script("echo 'no such user' >&2; yes | head -c 100000; exit 67", in: folder)
      let error = await #expect(throws: UndeliveredNotice.self) { try await Self.deliver(script) }
      #expect(error?.reason.contains("exit status 67: no such user") == true)
      #expect(error?.reason.utf8.count ?? 0 < 1000 && error?.isPermanent == false)
      let missing = await #expect(throws: UndeliveredNotice.self) { try await Self.deliver("/nowhere/at/all") }
      #expect(missing?.reason.contains("No such file") == true)
    }
  }

  @Test("One that takes too long is killed, with all that it has started")
  func hangs() async throws {
    try await withTemporaryFolder { folder in
      let script = try Self.script("sleep 600 & echo $! > \"$1\"; wait", in: folder)
      let began = ContinuousClock.now
      let error = await #expect(throws: UndeliveredNotice.self) {
        try await Self.deliver(script, [folder.path + "/child"], limit: .seconds(10))
      }
      #expect(error?.reason.contains("did not end in time") == true && began.duration(to: .now) < .seconds(120))
      let text = try String(contentsOfFile: folder.path + "/child", encoding: .utf8)
      let child = try #require(pid_t(text.trimmingCharacters(in: .whitespacesAndNewlines)))
      // It takes a moment to die, and is a zombie until whoever inherits it has looked.
      var state: String?
      for _ in 1...1000 {
        state = try? String(contentsOfFile: "/proc/\(child)/stat", encoding: .utf8)
        if state == nil || state?.contains(") Z ") == true { break }
        poll(nil, 0, 10)
      }
      #expect(state == nil || state?.contains(") Z ") == true, "\(state ?? "")")
    }
  }

  @Test("One that reads nothing, and one that leaves a child behind with its output, hold nobody up")
  func careless() async throws {
    try await withTemporaryFolder { folder in
      let long = MailMessageTests.letter(text: String(repeating: "a line of text\n", count: 20_000))
      try await Self.deliver(try Self.script("exit 0", in: folder), letter: long)
      // It ends before its child does.
      let child = try Self.script("(sleep 90; touch \"$1\") & exit 0", in: folder)
      try await Self.deliver(child, [folder.path + "/child is over"], limit: .seconds(120))
      #expect(!FileManager.default.fileExists(atPath: folder.path + "/child is over"))
    }
  }
}

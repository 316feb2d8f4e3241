import Core
import Engine
import Foundation
import TestSupport
import Testing

@testable import vpsd

@Suite("A location whose hosts reach the same disks, as it is configured")
struct SharedStorageConfigurationTests {
  private static let cluster = """
    driver: incus, instance_type: container, members: [m1, m2], client_certificate: /c, client_key: /k, \
    server_certificate: /s, url: 'https://127.0.1.1', address_pool: 127.90.0.0/16
    """

  @Test("What was said is read, and written again; its hosts have one folder of disks")
  func whole() async throws {
    let fence = "shared_storage: true, fence_command: [/sbin/off, --now, 'a b'], fence_after_seconds: 90"
    let text = """
      locations:
        eu-1: {driver: simulated, hosts: 2, \(fence)}
        eu-2: {\(Self.cluster), shared_storage: true, fence_command: /sbin/off}
        eu-3: {driver: simulated, shared_storage: false}

      """
    try await withFile(text) { loader in
      let configuration = try loader.load().configuration
      let first = try #require(configuration.fencing(at: "eu-1"))
      #expect(first.command.words == ["/sbin/off", "--now", "a b"] && first.patience == .seconds(90))
      let second = try #require(configuration.fencing(at: "eu-2"))
      #expect(second.command.words == ["/sbin/off"] && second.patience == .seconds(60))
      #expect(configuration.fencing(at: "eu-3") == nil && configuration.fencing(at: nil) == nil)
      #expect(configuration.simulatedStorage(ofHost: "eu-1/2") != nil)
      #expect(configuration.simulatedStorage(ofHost: "eu-3/1") == nil)
      #expect(configuration.simulatedStorage(ofHost: "local") == nil)
      try await withFile(configuration.yaml()) { loader async throws in
        #expect(try loader.load().configuration == configuration)
      }
    }
  }

  @Test(
    "One without the other, or what nobody could keep, is refused with the key and the reason",
    arguments: [
      ("{driver: simulated, hosts: 2, shared_storage: true}", "fence_command", "started twice on one disk"),
      ("{driver: simulated, hosts: 2, fence_command: /sbin/off}", "fence_command", "shared_storage: true"),
      ("{driver: simulated, hosts: 2, fence_after_seconds: 60}", "fence_after_seconds", "shared_storage: true"),
      ("{driver: simulated, shared_storage: true, fence_command: /sbin/off}", "shared_storage", "one host"),
      ("{shared_storage: true, fence_command: /sbin/off}", "shared_storage", "this machine"),
      (
        "{driver: incus, instance_type: container, socket: /s, shared_storage: true, fence_command: /sbin/off}",
        "shared_storage", "one host"
      ),
      (
        "{driver: simulated, hosts: 2, shared_storage: yes, fence_command: /sbin/off}", "shared_storage",
        "true or false"
      ),
      ("{driver: simulated, hosts: 2, shared_storage: true, fence_command: off}", "fence_command", "absolute path"),
      ("{driver: simulated, hosts: 2, shared_storage: true, fence_command: []}", "fence_command", "absolute path"),
      (
        "{driver: simulated, hosts: 2, shared_storage: true, fence_command: /sbin/off, fence_after_seconds: 9}",
        "fence_after_seconds", "from 10 to 86400"
      ),
    ])
  func refused(_ section: String, _ key: String, _ words: String) async throws {
    try await withFile("locations:\n  eu-1: \(section)\n") { loader async throws in
      do throws(ConfigurationError) {
        _ = try loader.load()
        Issue.record("it was taken")
      } catch {
        let found = error.problems.filter { $0.key?.hasSuffix(".\(key)") == true && $0.message.contains(words) }
        #expect(!found.isEmpty, "\(error.problems)")
      }
    }
  }

  /// A program that does this.
  private static func withProgram(_ text: String, _ body: (String) async throws -> Void) async throws {
    try await withTemporaryFolder { folder in
      let path = folder.appendingPathComponent("fence").path
      try "#!/bin/sh\n\(text)\n".write(toFile: path, atomically: true, encoding: .utf8)
      try FileManager.default.setAttributes([.posixPermissions: 0o700], ofItemAtPath: path)
      try await body(path)
    }
  }

  @Test("The command gets its arguments and the host's name as they are, and its exit status says whether it is off")
  func command() async throws {
    try await Self.withProgram(#"for word in "$@"; do echo "<$word>"; done >"$0.log""#) { path in
      try await FenceCommand(words: [path, "--now", "a b; $(id)"]).fence("eu-1/m2")
      #expect(try String(contentsOfFile: path + ".log", encoding: .utf8) == "<--now>\n<a b; $(id)>\n<eu-1/m2>\n")
    }
    try await Self.withProgram("echo no such $1 >&2; exit 3") { path in
      let failure = await #expect(throws: FenceFailure.self) { try await FenceCommand(words: [path]).fence("eu-1/m2") }
      #expect(failure?.description == "\(path) failed, exit status 3: no such eu-1/m2")
    }
    await #expect(throws: FenceFailure.self) { try await FenceCommand(words: ["/nowhere"]).fence("eu-1/m2") }
  }

  @Test("One that does not end is ended with the service")
  func cancelled() async throws {
    try await Self.withProgram(#"echo >"$0.log"; exec sleep 1000"#) { path in
      let fencing = Task { try await FenceCommand(words: [path]).fence("eu-1/m2") }
      #expect(await comesTrue { FileManager.default.fileExists(atPath: path + ".log") })
      fencing.cancel()
      await #expect(throws: FenceFailure.self) { try await fencing.value }
    }
  }

  @Test("What it has started is ended with it, and switches no host off later", arguments: [false, true])
  func orphans(isCancelled: Bool) async throws {
    let script = #"exec 3>"$0.power"; echo begun >&3; (sleep 300; echo off >&3) & wait"#
    try await Self.withProgram(script) { path in
      #expect(mkfifo(path + ".power", 0o600) == 0)
      let power = open(path + ".power", O_RDONLY | O_NONBLOCK | O_CLOEXEC)
      #expect(power >= 0)
      defer { close(power) }
      var said: [UInt8] = []
      /// Returns false where nobody can say anything any more.
      func listen() -> Bool {
        var buffer = [UInt8](repeating: 0, count: 64)
        let count = read(power, &buffer, buffer.count)
        said += buffer.prefix(max(0, count))
        return count != 0
      }
      let command = FenceCommand(words: [path], deadline: .seconds(isCancelled ? 600 : 20))
      let fencing = Task { try await command.fence("eu-1/m2") }
      let hasBegun = await comesTrue {
        _ = listen()
        return !said.isEmpty
      }
      #expect(hasBegun)
      if isCancelled { fencing.cancel() }
      await #expect(throws: FenceFailure.self) { try await fencing.value }
      #expect(await comesTrue { !listen() })
      #expect(String(decoding: said, as: UTF8.self) == "begun\n")
    }
  }

  @Test("A program that is not there is told of at the start, and not when it is needed")
  func missing() async throws {
    let section = "{driver: simulated, hosts: 2, shared_storage: true, fence_command: /nowhere/off}"
    try await withFile("locations:\n  eu-1: \(section)\n") { loader async throws in
      let configuration = try loader.load().configuration
      let error = #expect(throws: ConfigurationError.self) { try configuration.requireFencePrograms() }
      #expect(error?.problems.first?.key == "locations.eu-1.fence_command")
    }
  }
}

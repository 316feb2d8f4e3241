import CGNU
import Core
import Foundation
import Synchronization

/// One run of a program, in a process group of its own. Blocks.
final class ProgramRun: Sendable {
  /// How long the program may still run after `hurry`.
  private static let lastPatience = Duration.seconds(3)
  private static let longestComplaint = 500
  /// `MFD_CLOEXEC`, which glibc shows to programs in C only.
  private static let closeOnExec: UInt32 = 1

  private let commandLine: [String]
  private let input: [UInt8]
  private let limit: Duration
  private let deadline = Mutex<ContinuousClock.Instant?>(nil)
  private let isHurried = Mutex(false)

  init(commandLine: [String], input: [UInt8], limit: Duration) {
    self.commandLine = commandLine
    self.input = input
    self.limit = limit
  }

  /// Shortens the time that the program has left, because this process is to end.
  func hurry() {
    isHurried.withLock { $0 = true }
    deadline.withLock { $0 = $0.map { min($0, .now + Self.lastPatience) } }
  }

  /// Runs the program to its end. Throws `UndeliveredNotice`, with the beginning of its output, where it fails. Kills it with
  /// its children where it takes too long.
  func run() throws {
    deadline.withLock { $0 = .now + (isHurried.withLock { $0 } ? Self.lastPatience : limit) }
    // A file in memory, so that a program that does not read it blocks nobody.
    let message = memfd_create("message", Self.closeOnExec)
    guard message >= 0 else { throw Self.failed("memfd_create", errno) }
    defer { close(message) }
    try write(to: message)
    var ends: [Int32] = [-1, -1]
    guard pipe2(&ends, O_CLOEXEC) == 0 else { throw Self.failed("pipe", errno) }
    defer { close(ends[0]) }
    let process: pid_t
    do {
      defer { close(ends[1]) }
      process = try spawn(input: message, output: ends[1])
    }
    let (status, complaint) = wait(for: process, ends[0])
    guard let status else { throw UndeliveredNotice("\(commandLine[0]) did not end in time and was killed") }
    guard status == 0 else {
      let end = status & 0x7F == 0 ? "exit status \(status >> 8 & 0xFF)" : "signal \(status & 0x7F)"
      throw UndeliveredNotice("\(commandLine[0]) failed, \(end): \(complaint)")
    }
  }

  private func write(to file: Int32) throws {
    var rest = input[...]
    while !rest.isEmpty {
      let count = rest.withUnsafeBytes { Foundation.write(file, $0.baseAddress, $0.count) }
      if count < 0, errno == EINTR { continue }
      guard count > 0 else { throw Self.failed("write", errno) }
      rest = rest.dropFirst(count)
    }
    guard lseek(file, 0, SEEK_SET) == 0 else { throw Self.failed("lseek", errno) }
  }

  private func spawn(input: Int32, output: Int32) throws -> pid_t {
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    posix_spawn_file_actions_adddup2(&actions, input, 0)
    posix_spawn_file_actions_adddup2(&actions, output, 1)
    posix_spawn_file_actions_adddup2(&actions, output, 2)
    posix_spawn_file_actions_addclosefrom_np(&actions, 3)
    var attributes = posix_spawnattr_t()
    posix_spawnattr_init(&attributes)
    defer { posix_spawnattr_destroy(&attributes) }
    // This process may ignore or block signals that its children must receive.
    var signals = sigset_t()
    sigemptyset(&signals)
    posix_spawnattr_setsigmask(&attributes, &signals)
    sigfillset(&signals)
    posix_spawnattr_setsigdefault(&attributes, &signals)
    posix_spawnattr_setpgroup(&attributes, 0)
    posix_spawnattr_setflags(
      &attributes, Int16(POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP))
    let environment = ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C.UTF-8", "HOME=/"]
    var process: pid_t = 0
    let result = withCStrings(commandLine) { arguments in
      withCStrings(environment) { environment in
        posix_spawn(&process, commandLine[0], &actions, &attributes, arguments, environment)
      }
    }
    guard result == 0 else { throw Self.failed("start \(commandLine[0])", result) }
    return process
  }

  /// Returns the wait status, nil where the program was killed because it took too long, and the beginning of its output.
  private func wait(for process: pid_t, _ output: Int32) -> (status: Int32?, complaint: String) {
    var said: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 4096)
    var isOpen = true
    var status: Int32 = 0
    while let remaining = remainingMilliseconds {
      if isOpen {
        var descriptors = pollfd(fd: output, events: Int16(POLLIN), revents: 0)
        if poll(&descriptors, 1, min(remaining, 20)) > 0 {
          let count = read(output, &buffer, buffer.count)
          if count == 0 { isOpen = false }
          if count > 0, said.count < Self.longestComplaint { said += buffer.prefix(count) }
        }
      } else {
        poll(nil, 0, min(remaining, 5))
      }
      // Only the program's own end counts: what it has started may go on, and keep the pipe open.
      if waitpid(process, &status, WNOHANG) == process { return (status, Self.words(said)) }
    }
    kill(-process, SIGKILL)
    while waitpid(process, &status, 0) < 0, errno == EINTR {}
    return (nil, Self.words(said))
  }

  private var remainingMilliseconds: Int32? {
    guard let deadline = deadline.withLock({ $0 }) else { return nil }
    let remaining = ContinuousClock.now.duration(to: deadline)
    return remaining > .zero ? Int32(clamping: max(1, remaining.milliseconds)) : nil
  }

  private static func words(_ bytes: [UInt8]) -> String {
    String(decoding: bytes.prefix(longestComplaint), as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines)
  }

  private static func failed(_ call: String, _ number: Int32) -> UndeliveredNotice {
    UndeliveredNotice("\(call): \(String(cString: strerror(number)))")
  }
}

private func withCStrings<Result>(
  _ strings: [String], _ body: (UnsafePointer<UnsafeMutablePointer<CChar>?>) -> Result
) -> Result {
  var pointers = strings.map { strdup($0) }
  defer { for pointer in pointers { free(pointer) } }
  pointers.append(nil)
  return body(pointers)
}

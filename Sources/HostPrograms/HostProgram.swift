import CGNU
import Core
import Foundation
package import PrivateFiles

/// A program of the host, run to its end or to its deadline. Blocks.
package struct HostProgram: Sendable {
  let name: String
  let arguments: [String]
  /// An attacker who broke out of a QEMU may have written anything to its disk, such as the name of a host file. So programs
  /// that read the disk run as QEMU's user, and can read no more than that QEMU.
  let user: FileOwner
  /// What it reads from its standard input.
  let input: [UInt8]
  /// The most bytes of output that are returned. The rest is read and dropped.
  let outputLimitBytes: Int
  /// Restrictions for a program that reads untrusted files.
  package var confinement: Confinement?
  /// Whether what the program has started is killed with it.
  package var isKilledWhole = false
  /// The working directory; nil for that of this process.
  package var folder: String?
  /// In addition to the variables that every program gets.
  package var environment: [String: String] = [:]
  /// A file descriptor to use as standard input.
  package var inputFile: Int32?

  package init(
    _ name: String, _ arguments: [String], user: FileOwner = .root, input: [UInt8] = [],
    outputLimitBytes: Int = 16_384
  ) {
    self.name = name
    self.arguments = arguments
    self.user = user
    self.input = input
    self.outputLimitBytes = outputLimitBytes
  }

  /// The folders in which programs are looked up: a service's PATH may lack the system's own.
  private static let folders = ["/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin"]

  package static func path(of program: String) -> String? {
    if program.hasPrefix("/") { return access(program, X_OK) == 0 ? program : nil }
    return folders.lazy.map { "\($0)/\(program)" }.first { access($0, X_OK) == 0 }
  }

  /// How a program ended that was not killed here.
  package struct Ending: Sendable {
    package let output: String
    /// The status from `waitpid`.
    fileprivate let status: Int32

    /// Nil where a signal ended it.
    package var exitStatus: Int32? { status & 0x7F == 0 ? (status >> 8) & 0xFF : nil }
    package var signal: Int32? { status & 0x7F == 0 ? nil : status & 0x7F }
  }

  /// Returns the program's output. Throws the first kilobytes of it if the program fails, and kills the program at the time
  /// limit or when `stop` is set. A program with a `stop` also ends with this process, however that ends.
  @discardableResult
  package func run(within limit: Duration, stop: StopSignal? = nil) throws -> String {
    let ending = try end(within: limit, stop: stop)
    guard ending.status == 0 else { throw failure(status: ending.status, output: ending.output) }
    return ending.output
  }

  /// The same for callers that handle the program's failure themselves: only a program that had to be killed or could not run
  /// throws.
  ///
  /// - Parameter look: Called several times a second while the program runs.
  package func end(
    within limit: Duration, stop: StopSignal? = nil, whileItRuns look: (() -> Void)? = nil
  ) throws -> Ending {
    guard let path = Self.path(of: name) else {
      throw DriverError(.rejected, "\(name) is not installed on this host")
    }
    var commandLine = try (confinement?.commandLine() ?? []) + [path] + arguments
    var privileges = stop == nil ? [] : ["--pdeathsig", "KILL"]
    if user != .root {
      privileges += ["--reuid", "\(user.user)", "--regid", "\(user.group)", "--clear-groups", "--no-new-privs"]
    }
    if !privileges.isEmpty {
      guard let setpriv = Self.path(of: "setpriv") else {
        throw DriverError(.rejected, "setpriv is not installed on this host")
      }
      commandLine = [setpriv] + privileges + commandLine
    }
    var ends: [Int32] = [-1, -1]
    guard pipe2(&ends, O_CLOEXEC) == 0 else { throw HostError.last("pipe") }
    defer { close(ends[0]) }
    let process: pid_t
    do {
      defer { close(ends[1]) }
      let source = try inputFile ?? ownInputFile()
      defer { if let source, inputFile == nil { close(source) } }
      process = try spawn(commandLine, input: source, output: ends[1])
    }
    let deadline = ContinuousClock.now + limit
    let (output, isComplete) = read(ends[0], until: deadline, stop, look)
    if !isComplete { end(process) }
    let status = wait(for: process, until: deadline)
    if stop?.isSet == true { throw DriverError(.busy, "\(name) was stopped") }
    guard isComplete, let status else { throw DriverError(.unreachable, "\(name) did not end within \(limit)") }
    return Ending(output: output, status: status)
  }

  /// A file in memory, so that the program reads at its own pace; nil where there is no input.
  private func ownInputFile() throws -> Int32? {
    if input.isEmpty { return nil }
    let descriptor = memfd_create("input", UInt32(1 /* MFD_CLOEXEC */))
    guard descriptor >= 0 else { throw HostError.last("make a file for \(name)") }
    var rest = input[...]
    while !rest.isEmpty {
      let count = rest.withUnsafeBytes { write(descriptor, $0.baseAddress, $0.count) }
      guard count > 0 else {
        let error = HostError.last("write a file for \(name)")
        close(descriptor)
        throw error
      }
      rest = rest.dropFirst(count)
    }
    lseek(descriptor, 0, SEEK_SET)
    return descriptor
  }

  private func spawn(_ commandLine: [String], input: Int32?, output: Int32) throws -> pid_t {
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    if let input {
      posix_spawn_file_actions_adddup2(&actions, input, 0)
    } else {
      posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDWR, 0)
    }
    posix_spawn_file_actions_adddup2(&actions, output, 1)
    posix_spawn_file_actions_adddup2(&actions, output, 2)
    posix_spawn_file_actions_addclosefrom_np(&actions, 3)
    if let folder { posix_spawn_file_actions_addchdir_np(&actions, folder) }
    var attributes = posix_spawnattr_t()
    posix_spawnattr_init(&attributes)
    defer { posix_spawnattr_destroy(&attributes) }
    // The service ignores and blocks some signals that its child processes must receive.
    var signals = sigset_t()
    sigemptyset(&signals)
    posix_spawnattr_setsigmask(&attributes, &signals)
    sigfillset(&signals)
    posix_spawnattr_setsigdefault(&attributes, &signals)
    var flags = POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF
    if hasOwnGroup { flags |= POSIX_SPAWN_SETPGROUP }
    posix_spawnattr_setflags(&attributes, Int16(flags))
    let environment =
      ["PATH=\(Self.folders.joined(separator: ":"))", "LC_ALL=C", "HOME=/"]
      + environment.map { "\($0.key)=\($0.value)" }
    var process: pid_t = 0
    let result = withCStrings(commandLine) { arguments in
      withCStrings(environment) { environment in
        posix_spawn(&process, commandLine[0], &actions, &attributes, arguments, environment)
      }
    }
    guard result == 0 else { throw HostError(call: "start \(name)", number: result) }
    return process
  }

  /// The program's output up to the limit, and whether the program closed its end in time.
  private func read(
    _ descriptor: Int32, until deadline: ContinuousClock.Instant, _ stop: StopSignal?, _ look: (() -> Void)?
  ) -> (String, Bool) {
    var output: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 65_536)
    while let remaining = deadline.remainingMilliseconds, stop?.isSet != true {
      var descriptors = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
      look?()
      let isWatched = stop != nil || look != nil
      guard poll(&descriptors, 1, isWatched ? min(remaining, 100) : remaining) > 0 else { continue }
      let count = Foundation.read(descriptor, &buffer, buffer.count)
      if count == 0 { return (String(decoding: output, as: UTF8.self), true) }
      if count > 0 { output += buffer.prefix(min(count, outputLimitBytes - output.count)) }
    }
    return (String(decoding: output, as: UTF8.self), false)
  }

  /// The wait status; nil where the process had to be killed.
  private func wait(for process: pid_t, until deadline: ContinuousClock.Instant) -> Int32? {
    var status: Int32 = 0
    while deadline.remainingMilliseconds != nil {
      let result = waitpid(process, &status, WNOHANG)
      if result == process { return status }
      if result < 0, errno != EINTR { return nil }
      poll(nil, 0, 2)
    }
    end(process)
    while waitpid(process, &status, 0) < 0, errno == EINTR {}
    return nil
  }

  /// Kills the process, with all its children where it has a process group of its own. To be called before it was waited for.
  private func end(_ process: pid_t) { kill(hasOwnGroup ? -process : process, SIGKILL) }

  private var hasOwnGroup: Bool { confinement != nil || isKilledWhole }

  private func failure(status: Int32, output: String) -> DriverError {
    let words = output.prefix(4096).trimmingCharacters(in: .whitespacesAndNewlines)
    let detail = "\(name) failed (status \(status)): \(words)"
    if output.contains("No space left on device") { return DriverError(.exhausted, detail) }
    if output.contains("Failed to get"), output.contains("lock") { return DriverError(.busy, detail) }
    return DriverError(.rejected, detail)
  }
}

extension ContinuousClock.Instant {
  /// For `poll`: at least 1; nil once the instant is past.
  package var remainingMilliseconds: Int32? {
    let remaining = ContinuousClock.now.duration(to: self)
    guard remaining > .zero else { return nil }
    return Int32(clamping: max(1, remaining.milliseconds))
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

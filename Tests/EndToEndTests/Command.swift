import Foundation

/// A program that was run to its end.
struct Command {
  let status: Int32
  let output: String

  struct Failed: Error, CustomStringConvertible {
    let description: String
  }

  /// Runs a program and gives it no input. One that takes longer than the limit is killed, and its status says so.
  static func run(
    _ program: String, _ arguments: [String], environment: [String: String] = [:], limitSeconds: Int = 120
  ) throws -> Command {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/timeout")
    process.arguments = ["--kill-after=5", String(limitSeconds), program] + arguments
    process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
    let pipe = Pipe()
    process.standardOutput = pipe
    process.standardError = pipe
    process.standardInput = FileHandle.nullDevice
    try process.run()
    let output = try pipe.fileHandleForReading.readToEnd() ?? Data()
    process.waitUntilExit()
    return Command(
      status: process.terminationStatus,
      output: String(decoding: output, as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines))
  }

  /// The output of a program that must succeed.
  static func output(
    _ program: String, _ arguments: [String], environment: [String: String] = [:], limitSeconds: Int = 120
  ) throws -> String {
    let command = try run(program, arguments, environment: environment, limitSeconds: limitSeconds)
    guard command.status == 0 else {
      throw Failed(description: "\(program) \(arguments.joined(separator: " ")): \(command.status)\n\(command.output)")
    }
    return command.output
  }
}

struct NotInTime: Error, CustomStringConvertible {
  let description: String
}

/// Looks again and again until something is there, or the time is up. What is waited for happens in other processes, whose
/// clocks no test can hold.
func eventually<Value>(
  _ what: String, withinSeconds limit: Int, _ look: () async throws -> Value?
) async throws -> Value {
  let deadline = ContinuousClock.now + .seconds(limit)
  while true {
    if let value = try await look() { return value }
    guard ContinuousClock.now < deadline else { throw NotInTime(description: "\(what): not within \(limit) s") }
    try await Task.sleep(for: .milliseconds(100))
  }
}

/// The processes of this host whose command line contains a text.
func processes(containing text: String) -> [pid_t] {
  let entries = (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []
  return entries.compactMap { pid_t($0) }.filter { process in
    guard process != getpid(), let line = FileManager.default.contents(atPath: "/proc/\(process)/cmdline") else {
      return false
    }
    return String(decoding: line, as: UTF8.self).contains(text)
  }
}

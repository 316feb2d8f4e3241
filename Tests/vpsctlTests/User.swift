import Foundation
import Synchronization
import TestSupport
import Testing

/// Somebody at a terminal with vpsctl, and a home of their own.
final class User: Sendable {
  struct Result {
    let status: Int32
    let output: String
    let errors: String

    var all: String { output + errors }
    var json: Any {
      get throws { try JSONSerialization.jsonObject(with: Data(output.utf8), options: .fragmentsAllowed) }
    }
    var object: [String: Any] { get throws { try json as? [String: Any] ?? [:] } }
    var list: [[String: Any]] { get throws { try json as? [[String: Any]] ?? [] } }
  }

  static let programs = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent().appendingPathComponent(".build/debug")
  static let program = programs.appendingPathComponent("vpsctl").path

  let home: ScopedFolder
  private let settings: [String: String]

  /// - Parameter url: Where their service is, if the environment says so.
  init(url: String? = nil, token: String = "vps_secret", _ settings: [String: String] = [:]) throws {
    home = try ScopedFolder()
    self.settings = (url.map { ["VPSCTL_URL": $0, "VPSCTL_TOKEN": token] } ?? [:]).merging(settings) { $1 }
  }

  var path: String { home.url.path }

  var environment: [String: String] {
    [
      "PATH": "\(Self.programs.path):/usr/bin:/bin", "HOME": path, "XDG_CONFIG_HOME": path + "/config",
      "XDG_STATE_HOME": path + "/state", "TERM": "xterm", "LC_ALL": "C.UTF-8",
    ].merging(settings) { $1 }
  }

  @discardableResult
  func run(_ arguments: String..., input: String? = nil, with more: [String: String] = [:]) async throws -> Result {
    try await run(Self.program, arguments, input: input, with: more)
  }

  /// Any program, in their home.
  func run(
    _ program: String, _ arguments: [String], input: String? = nil, with more: [String: String] = [:],
    began: (@Sendable (pid_t) -> Void)? = nil
  ) async throws -> Result {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: program)
    process.arguments = arguments
    process.environment = environment.merging(more) { $1 }.filter { !$0.value.isEmpty }
    process.currentDirectoryURL = home.url
    let files = ["out", "err", "in"].map { home.url.appendingPathComponent("\(UUID().uuidString).\($0)") }
    for file in files { try Data().write(to: file) }
    try Data((input ?? "").utf8).write(to: files[2])
    let handles = [
      try FileHandle(forWritingTo: files[0]), try FileHandle(forWritingTo: files[1]),
      try FileHandle(forReadingFrom: files[2]),
    ]
    // A process that has many open cannot start others: Foundation reads past the end of their list.
    defer { for handle in handles { try? handle.close() } }
    (process.standardOutput, process.standardError, process.standardInput) = (handles[0], handles[1], handles[2])
    let status = try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<Int32, any Error>) in
      process.terminationHandler = { ended in continuation.resume(returning: ended.terminationStatus) }
      do {
        try process.run()
        began?(process.processIdentifier)
      } catch {
        process.terminationHandler = nil
        continuation.resume(throwing: error)
      }
    }
    let texts = try files.prefix(2).map { String(decoding: try Data(contentsOf: $0), as: UTF8.self) }
    for file in files { try FileManager.default.removeItem(at: file) }
    return Result(status: status, output: texts[0], errors: texts[1])
  }

  func write(_ text: String, to name: String, permissions: Int = 0o600) throws -> String {
    let file = home.url.appendingPathComponent(name)
    try FileManager.default.createDirectory(at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
    try Data(text.utf8).write(to: file)
    try FileManager.default.setAttributes([.posixPermissions: permissions], ofItemAtPath: file.path)
    return file.path
  }
}

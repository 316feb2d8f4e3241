import Foundation
import SQLStore
import Synchronization
import TestSupport

/// Somebody at a terminal with the program that was built, and a data directory of their own.
final class Operator: Sendable {
  struct Result {
    let status: Int32
    let output: String
    let errors: String

    var all: String { output + errors }
  }

  let folder: ScopedFolder
  let data: String
  private let settings: [String: String]
  private let service = Mutex<(process: Process, output: Pipe, errors: URL)?>(nil)

  static let program = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent().appendingPathComponent(".build/debug/vpsd")

  /// - Parameter name: The data directory's.
  init(named name: String = "data", _ settings: [String: String] = [:]) throws {
    folder = try ScopedFolder()
    data = folder.url.path + "/" + name
    self.settings = settings
  }

  deinit {
    service.withLock { service in
      if let process = service?.process, process.isRunning { kill(process.processIdentifier, SIGKILL) }
    }
  }

  var database: String { data + "/vpsd.sqlite" }

  private func process(_ arguments: [String], _ more: [String: String]) -> Process {
    let process = Process()
    process.executableURL = Self.program
    process.arguments = arguments
    process.environment = [
      "PATH": "/usr/bin:/bin", "VPSD_DATA_DIR": data, "VPSD_DRIVER": "simulated", "VPSD_LISTEN": "127.0.0.1:0",
    ].merging(settings) { $1 }.merging(more) { $1 }
    process.standardInput = FileHandle.nullDevice
    return process
  }

  /// Runs a command to its end.
  func run(_ arguments: String..., with more: [String: String] = [:]) throws -> Result {
    try run(arguments, with: more)
  }

  func run(_ arguments: [String], with more: [String: String] = [:]) throws -> Result {
    let process = process(arguments, more)
    let files = ["out", "err"].map { folder.url.appendingPathComponent("\(UUID().uuidString).\($0)") }
    for file in files { try Data().write(to: file) }
    let handles = try files.map { try FileHandle(forWritingTo: $0) }
    // A process that has many open cannot start others: Foundation reads past the end of their list.
    defer { for handle in handles { try? handle.close() } }
    (process.standardOutput, process.standardError) = (handles[0], handles[1])
    try process.run()
    process.waitUntilExit()
    let texts = try files.map { try String(contentsOf: $0, encoding: .utf8) }
    return Result(status: process.terminationStatus, output: texts[0], errors: texts[1])
  }

  /// Starts the service, and returns what it says until it can be used.
  func serve(_ arguments: String...) throws -> String {
    let process = process(["serve"] + arguments, [:])
    let errors = folder.url.appendingPathComponent("log")
    try Data().write(to: errors)
    let output = Pipe()
    process.standardOutput = output
    let log = try FileHandle(forWritingTo: errors)
    defer { try? log.close() }
    process.standardError = log
    try process.run()
    service.withLock { $0 = (process, output, errors) }
    var banner = Data()
    while String(decoding: banner, as: UTF8.self).contains("vpsctl server ssh") == false {
      let more = output.fileHandleForReading.availableData
      guard !more.isEmpty else { break }
      banner += more
    }
    return String(decoding: banner, as: UTF8.self)
  }

  /// Ends the service, and returns all that it logged.
  func endService() throws -> String {
    guard let (process, _, errors) = service.withLock({ $0 }) else { return "" }
    process.terminate()
    process.waitUntilExit()
    return try String(contentsOf: errors, encoding: .utf8)
  }

  /// Ends the service without a word.
  func killService() {
    guard let process = service.withLock({ $0?.process }) else { return }
    kill(process.processIdentifier, SIGKILL)
    process.waitUntilExit()
  }

  struct NeverLogged: Error, CustomStringConvertible {
    let description: String
  }

  /// Returns when the service has logged this.
  func whenLogged(_ text: String) async throws {
    let errors = service.withLock { $0?.errors }
    let deadline = ContinuousClock.now + .seconds(120)
    while true {
      let log = try errors.map { try String(contentsOf: $0, encoding: .utf8) } ?? ""
      if log.contains(text) { return }
      guard ContinuousClock.now < deadline else {
        throw NeverLogged(description: "not logged: \(text), but: \(log.suffix(3000))")
      }
      try await Task.sleep(for: .milliseconds(20))
    }
  }

  /// A data directory as a service leaves it that has ended.
  func makeInstallation() throws {
    _ = try serve()
    _ = try endService()
  }

  func names() throws -> [String] { try FileManager.default.contentsOfDirectory(atPath: data).sorted() }
}

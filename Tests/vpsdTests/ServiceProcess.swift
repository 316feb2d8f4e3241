import Foundation
import TestSupport
import Testing

/// The built program on simulated machines, under a limit of the shell.
final class ServiceProcess {
  private let process = Process()
  private let folder: URL
  private var port = 0

  static let program = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent().appendingPathComponent(".build/debug/vpsd").path

  static func with(limit: String = ":", _ test: (ServiceProcess) async throws -> Void) async throws {
    try await withTemporaryFolder { folder in
      let service = ServiceProcess(in: folder)
      defer { service.end() }
      try await service.start(limit)
      try await test(service)
    }
  }

  private init(in folder: URL) {
    self.folder = folder
  }

  var id: pid_t { process.processIdentifier }
  var log: String { (try? String(contentsOf: folder.appendingPathComponent("log"), encoding: .utf8)) ?? "" }

  private func start(_ limit: String) async throws {
    process.executableURL = URL(fileURLWithPath: "/bin/sh")
    process.arguments = ["-c", "\(limit) && exec \(Self.program) serve --driver simulated >banner 2>log </dev/null"]
    process.currentDirectoryURL = folder
    process.environment = ["VPSD_DATA_DIR": folder.path + "/data", "VPSD_LISTEN": "127.0.0.1:0"]
    try process.run()
    let banner = folder.appendingPathComponent("banner")
    try await eventually {
      let text = (try? String(contentsOf: banner, encoding: .utf8)) ?? ""
      port = text.firstMatch(of: /http:\/\/127\.0\.0\.1:(\d+)/).flatMap { Int($0.output.1) } ?? 0
      return port > 0
    }
  }

  private func end() {
    guard process.isRunning else { return }
    process.terminate()
    process.waitUntilExit()
  }

  func setLimit(_ count: Int) throws {
    let command = Process()
    command.executableURL = URL(fileURLWithPath: "/usr/bin/prlimit")
    command.arguments = ["--pid", String(id), "--nofile=\(count):"]
    try command.run()
    command.waitUntilExit()
    #expect(command.terminationStatus == 0)
  }

  func whenLogged(_ text: String) async throws { try await eventually { log.contains(text) } }

  private struct NotInTime: Error {}

  private func eventually(_ isTrue: () -> Bool) async throws {
    let deadline = ContinuousClock.now + .seconds(120)
    while !isTrue() {
      guard ContinuousClock.now < deadline, process.isRunning else { throw NotInTime() }
      try await Task.sleep(for: .milliseconds(20))
    }
  }

  /// Without a word.
  func connect() -> Int32 {
    let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = in_port_t(port).bigEndian
    address.sin_addr.s_addr = in_addr_t(0x7F00_0001).bigEndian
    _ = withUnsafePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        Foundation.connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
      }
    }
    return descriptor
  }

  func isHealthy() async -> Bool { await answers("/healthz") }

  func answers(_ path: String) async -> Bool {
    let descriptor = connect()
    defer { close(descriptor) }
    let request = Array("GET \(path) HTTP/1.1\r\nHost: x\r\n\r\n".utf8)
    guard send(descriptor, request, request.count, Int32(MSG_NOSIGNAL)) == request.count else { return false }
    let deadline = ContinuousClock.now + .seconds(60)
    var buffer = [UInt8](repeating: 0, count: 4096)
    while ContinuousClock.now < deadline {
      let count = recv(descriptor, &buffer, buffer.count, Int32(MSG_DONTWAIT))
      if count > 0 { return String(decoding: buffer.prefix(count), as: UTF8.self).hasPrefix("HTTP/1.1 200 OK") }
      if count == 0 { return false }
      try? await Task.sleep(for: .milliseconds(20))
    }
    return false
  }

  /// Whether there is a second of which no thread takes half, once the work of its start is done. One that tries again and
  /// again takes all of every second, or waits for a processor where others have them.
  func comesToRest() async throws -> Bool {
    for _ in 1...60 {
      let (before, began) = (try activeSeconds(), ContinuousClock.now)
      try await Task.sleep(for: .seconds(1))
      let (after, passed) = (try activeSeconds(), (ContinuousClock.now - began) / .seconds(1))
      if after.allSatisfy({ thread, active in active - before[thread, default: 0] < passed / 2 }) { return true }
    }
    return false
  }

  /// The time in which each of its threads ran or waited for a processor.
  private func activeSeconds() throws -> [String: Double] {
    let threads = try FileManager.default.contentsOfDirectory(atPath: "/proc/\(id)/task")
    // One that has ended meanwhile is left out.
    return threads.reduce(into: [:]) { seconds, thread in
      let text = try? String(contentsOfFile: "/proc/\(id)/task/\(thread)/schedstat", encoding: .utf8)
      let nanoseconds = text?.split(separator: " ").prefix(2).compactMap { Double($0) } ?? []
      seconds[thread] = nanoseconds.reduce(0, +) / 1e9
    }
  }
}

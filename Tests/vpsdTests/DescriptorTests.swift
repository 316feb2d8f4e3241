import API
import Foundation
import Logging
import TestSupport
import Testing

@testable import vpsd

@Suite("Where the system gives few descriptors, or none", .serialized)
struct DescriptorTests {
  @Test("The service takes all that it can have, and fits its connections to that")
  func fitting() {
    let logger = Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() })
    func fitted(_ count: Int, _ wanted: Int, consoles: Int = 256) -> Int {
      var limits = ConnectionLimits()
      limits.connections = wanted
      return DescriptorLimit(count: count).fitting(limits, consoles: consoles, logger: logger).connections
    }
    #expect(fitted(1 << 20, 1024) == 1024)
    #expect(fitted(4096, 1024) == 1024)
    #expect(fitted(1024, 1024) == 704)
    #expect(fitted(256, 1024) == 96)
    #expect(fitted(64, 1024) == 8)
    #expect(fitted(4096, 0) == 3776, "no limit is what fits")
    for count in stride(from: 128, through: 8192, by: 64) {
      for consoles in [0, 16, 256, 5000] {
        let connections = fitted(count, 1024, consoles: consoles)
        let open = consoles > 0 ? min(consoles, connections) : connections
        #expect(connections + open + DescriptorLimit.reserve <= count || connections <= count / 2)
      }
    }
  }

  @Test("With 64 descriptors it answers, waits without work for more, and says so")
  func scarce() async throws {
    try await ServiceProcess.with(limit: "ulimit -n 64") { service async throws in
      #expect(service.log.contains("fewer connections than configured fit"))
      var silent: [Int32] = []
      defer { for descriptor in silent { close(descriptor) } }
      for _ in 0..<100 { silent.append(service.connect()) }
      #expect(await service.isHealthy())
      #expect(try await service.comesToRest())
    }
  }

  @Test("The soft limit is raised; where descriptors run out all the same, accepting waits and is told once")
  func exhausted() async throws {
    try await ServiceProcess.with(limit: "ulimit -Sn 64") { service async throws in
      let limits = try String(contentsOfFile: "/proc/\(service.id)/limits", encoding: .utf8)
      let line = try #require(limits.split(separator: "\n").first { $0.hasPrefix("Max open files") })
      let numbers = line.split(separator: " ").compactMap { Int($0) }
      #expect(numbers.count == 2 && numbers[0] == numbers[1] && numbers[0] > 64)

      try service.setLimit(10)
      var waiting: [Int32] = []
      defer { for descriptor in waiting { close(descriptor) } }
      for _ in 0..<20 { waiting.append(service.connect()) }
      try await service.whenLogged("no connection can be accepted for want of descriptors")
      #expect(try await service.comesToRest())
      try service.setLimit(numbers[1])
      #expect(await service.isHealthy())
      try await service.whenLogged("connections are accepted again")
      #expect(service.log.components(separatedBy: "for want of descriptors").count == 2)
    }
  }
}

/// The built program on simulated machines, under a limit of the shell.
private final class ServiceProcess {
  private let process = Process()
  private let folder: URL
  private var port = 0

  private static let program = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent().appendingPathComponent(".build/debug/vpsd").path

  static func with(limit: String, _ test: (ServiceProcess) async throws -> Void) async throws {
    try await withTemporaryFolder { folder in
      let service = ServiceProcess(in: folder)
      defer { service.end() }
      try await service.start(limit)
      // It is made beside the start, and is work.
      #expect(await service.answers("/docs"))
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

import APIClient
import Foundation
import Synchronization

/// A vpsd of its own, as an operator runs it: the built program, on a fresh data directory, with real virtual machines.
final class Service: Sendable {
  let directory: URL
  private let settings: [String: String]
  /// Of every command, where there is a file of settings that no variable has.
  private let options: [String]
  private let fileSystem: SmallFileSystem?
  private let process = Mutex<Process?>(nil)
  private let url = Mutex<URL?>(nil)

  private static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent()
  private static var program: String {
    ProcessInfo.processInfo.environment["VPSD_BINARY"] ?? root.appendingPathComponent(".build/debug/vpsd").path
  }

  /// Runs a test on a service of its own, and leaves nothing of it behind.
  /// - Parameters:
  ///   - file: What a configuration file says, for what no variable can.
  ///   - fileSystemMiB: Where its data directory is to be a file system of its own, of this size.
  static func with(
    _ settings: [String: String] = [:], file: String? = nil, fileSystemMiB: Int? = nil,
    _ test: (Service) async throws -> Void
  ) async throws {
    let service = try Service(settings, file: file, fileSystemMiB: fileSystemMiB)
    do {
      try await service.start()
      try await test(service)
    } catch {
      print(service.logTail)
      try? service.end()
      service.endByForce()
      throw error
    }
    try service.end()
  }

  /// Runs a test on several services of one database.
  static func together(
    _ count: Int, _ settings: [String: String], file: String, _ test: ([Service]) async throws -> Void
  ) async throws {
    let services = try (0..<count).map { _ in try Service(settings, file: file, fileSystemMiB: nil) }
    do {
      try await services[0].start()
      for service in services.dropFirst() {
        // What is encrypted in the database is read by all of them.
        try FileManager.default.copyItem(
          atPath: services[0].data + "/secret.key", toPath: service.data + "/secret.key")
        try await service.start()
      }
      try await test(services)
    } catch {
      for service in services {
        print(service.logTail)
        service.endByForce()
      }
      throw error
    }
    for service in services { try service.end(withServers: false) }
  }

  private init(_ settings: [String: String], file: String?, fileSystemMiB: Int?) throws {
    self.settings = settings
    directory = FileManager.default.temporaryDirectory.appendingPathComponent(
      "vpsd-e2e-" + UUID().uuidString.prefix(8).lowercased())
    let data = directory.appendingPathComponent("data")
    try FileManager.default.createDirectory(at: data, withIntermediateDirectories: true)
    let configuration = directory.appendingPathComponent("vpsd.yaml").path
    options = file == nil ? [] : ["--config", configuration]
    try file?.write(toFile: configuration, atomically: true, encoding: .utf8)
    fileSystem = try fileSystemMiB.map { try SmallFileSystem(at: data.path, sizeMiB: $0) }
  }

  /// The data directory, as this process sees it.
  var data: String { (fileSystem?.root ?? "") + directory.path + "/data" }

  var processID: pid_t? {
    process.withLock { $0.flatMap { $0.isRunning ? $0.processIdentifier : nil } }
  }

  static var images: String {
    ProcessInfo.processInfo.environment["VPSD_IMAGE_DIR"] ?? root.appendingPathComponent("var/images").path
  }

  private var environment: [String: String] {
    [
      "VPSD_DATA_DIR": directory.appendingPathComponent("data").path, "VPSD_IMAGE_DIR": Self.images,
      "VPSD_LISTEN": "127.0.0.1:0", "VPSD_ADDRESS_POOL": "127.83.0.0/16", "VPSD_DRIVER": "libvirt",
      "VPSD_OUTBOUND": "false", "VPSD_IMAGE_DOWNLOADS": "off",
    ].merging(settings) { $1 }
  }

  func start() async throws {
    let process = Process()
    let command = (fileSystem?.entrance ?? []) + [Self.program, "serve"] + options
    process.executableURL = URL(fileURLWithPath: command[0])
    process.arguments = Array(command.dropFirst())
    process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
    process.standardOutput = try Self.handle(banner, truncating: true)
    process.standardError = try Self.handle(log, truncating: false)
    process.standardInput = FileHandle.nullDevice
    try process.run()
    self.process.withLock { $0 = process }
    let url = try await eventually("the service's banner", withinSeconds: 300) {
      let text = try String(contentsOf: banner, encoding: .utf8)
      guard process.isRunning else { throw Command.Failed(description: "vpsd ended: \(self.logTail)") }
      return text.firstMatch(of: /http:\/\/[0-9.:]+/).flatMap { URL(string: String($0.output)) }
    }
    self.url.withLock { $0 = url }
  }

  /// What a power cut does to it.
  func kill() throws {
    guard let process = process.withLock({ $0 }) else { return }
    Foundation.kill(process.processIdentifier, SIGKILL)
    process.waitUntilExit()
  }

  func operate(_ arguments: [String], limitSeconds: Int = 200) throws -> String {
    let command = (fileSystem?.entrance ?? []) + [Self.program] + arguments + options
    return try Command.output(
      command[0], Array(command.dropFirst()), environment: environment, limitSeconds: limitSeconds)
  }

  /// Runs a script of the checkout that calls the program.
  func run(_ script: String, _ arguments: [String], _ more: [String: String], limitSeconds: Int = 300) throws -> String
  {
    try Command.output(
      Self.root.appendingPathComponent(script).path, arguments,
      environment: environment.merging(more) { $1 }.merging(["VPSD_PROGRAM": Self.program]) { $1 },
      limitSeconds: limitSeconds)
  }

  /// What `vpsd check` says, and its exit status.
  func checked() throws -> Command {
    let command = (fileSystem?.entrance ?? []) + [Self.program, "check"] + options
    return try Command.run(command[0], Array(command.dropFirst()), environment: environment, limitSeconds: 120)
  }

  /// The file system of the data directory is made writable, or not; nothing on it may be open for writing.
  func remount(_ option: String) throws {
    guard let fileSystem else { throw Command.Failed(description: "The data directory is no file system of its own.") }
    let command = fileSystem.entrance + ["/usr/bin/mount", "-o", "remount,\(option)", directory.path + "/data"]
    _ = try Command.output(command[0], Array(command.dropFirst()))
  }

  func client(token: String? = nil) throws -> APIClient {
    guard let url = url.withLock({ $0 }) else { throw Command.Failed(description: "The service does not run.") }
    let token =
      try token
      ?? String(contentsOfFile: data + "/token", encoding: .utf8).trimmingCharacters(in: .whitespacesAndNewlines)
    // What is lost while a test breaks the service is the test's to see.
    return APIClient(baseURL: url, token: token, retry: .never)
  }

  /// What its customer sets.
  func customer() throws -> [String: String] {
    guard let url = url.withLock({ $0 }) else { throw Command.Failed(description: "The service does not run.") }
    let token = try String(contentsOfFile: data + "/token", encoding: .utf8)
    return [
      "VPSCTL_URL": url.absoluteString, "VPSCTL_TOKEN": token.trimmingCharacters(in: .whitespacesAndNewlines),
    ]
  }

  private func end(withServers: Bool = true) throws {
    _ = try operate(["shutdown"] + (withServers ? ["--servers"] : []))
    let left = processes(containing: directory.path)
    guard left.isEmpty else {
      let lines = left.map { process in
        let line = FileManager.default.contents(atPath: "/proc/\(process)/cmdline") ?? Data()
        return "\(process) \(String(decoding: line.prefix(300), as: UTF8.self).replacing("\0", with: " "))"
      }
      throw Command.Failed(description: "Processes are left: \(lines)")
    }
    try fileSystem?.end()
    try FileManager.default.removeItem(at: directory)
  }

  /// After a test that failed, so that it costs the next one nothing: every process of this folder, by its number.
  private func endByForce() {
    try? kill()
    for process in processes(containing: directory.path) { Foundation.kill(process, SIGKILL) }
    try? fileSystem?.end()
    try? FileManager.default.removeItem(at: directory)
  }

  /// Its standard output.
  var banner: URL { directory.appendingPathComponent("banner") }
  var log: URL { directory.appendingPathComponent("log") }

  private var logTail: String {
    let lines = ((try? String(contentsOf: log, encoding: .utf8)) ?? "").split(separator: "\n")
    return lines.suffix(40).joined(separator: "\n")
  }

  private static func handle(_ file: URL, truncating: Bool) throws -> FileHandle {
    if truncating || !FileManager.default.fileExists(atPath: file.path) {
      try Data().write(to: file)
    }
    let handle = try FileHandle(forWritingTo: file)
    try handle.seekToEnd()
    return handle
  }
}

/// Where a server takes logins.
struct Endpoint: Equatable {
  let address: String
  let port: Int

  var arguments: [String] { ["-p", String(port), "root@\(address)"] }
}

/// A key pair, and logins with it.
struct Login {
  let privateKey: String
  let publicKey: String

  static let options = [
    "-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null", "-o", "LogLevel=ERROR",
    "-o", "ConnectTimeout=60",
  ]

  init(in directory: URL) throws {
    privateKey = directory.appendingPathComponent("key").path
    _ = try Command.output("/usr/bin/ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-f", privateKey])
    publicKey = try String(contentsOfFile: privateKey + ".pub", encoding: .utf8)
      .trimmingCharacters(in: .whitespacesAndNewlines)
  }

  /// - Parameter hostKey: The only algorithm that this client knows for the server's key; any, if nil.
  func run(_ command: String, on endpoint: Endpoint, hostKey: String? = nil) throws -> String {
    let algorithm = hostKey.map { ["-o", "HostKeyAlgorithms=\($0)"] } ?? []
    return try Command.output(
      "/usr/bin/ssh",
      ["-i", privateKey, "-o", "BatchMode=yes"] + Self.options + algorithm + endpoint.arguments + [command])
  }

  /// A command that ends its own connection, so that its status says nothing.
  func send(_ command: String, to endpoint: Endpoint) throws {
    _ = try Command.run(
      "/usr/bin/ssh", ["-i", privateKey, "-o", "BatchMode=yes"] + Self.options + endpoint.arguments + [command])
  }

  static func run(_ command: String, on endpoint: Endpoint, password: String, in directory: URL) throws -> String {
    let helper = directory.appendingPathComponent("askpass")
    try "#!/bin/sh\nprintf '%s\\n' \"$VPSD_TEST_PASSWORD\"\n".write(to: helper, atomically: true, encoding: .utf8)
    try FileManager.default.setAttributes([.posixPermissions: 0o700], ofItemAtPath: helper.path)
    return try Command.output(
      "/usr/bin/setsid",
      ["--wait", "/usr/bin/ssh", "-o", "PubkeyAuthentication=no"] + options + endpoint.arguments + [command],
      environment: [
        "SSH_ASKPASS": helper.path, "SSH_ASKPASS_REQUIRE": "force", "DISPLAY": ":0", "VPSD_TEST_PASSWORD": password,
      ])
  }
}

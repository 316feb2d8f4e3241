import Core
import Foundation
import HostImages
import Logging
import TestSupport
import Testing

@testable import IncusDriver

/// The Incus that Tests/Hosts/incus runs.
struct RealServer {
  static let folder = ProcessInfo.processInfo.environment["VPSD_TEST_INCUS"]
  static let imageName = "debian-12"

  let driver: IncusDriver
  /// Another member of the same cluster, or another Incus; nil where there is none.
  let neighbour: IncusDriver?
  let keys: URL
  private let publicKey: String

  static func with(_ body: (RealServer) async throws -> Void) async throws {
    try await withTemporaryFolder { keys in
      let server = try RealServer(keys: keys, .socket(path: "\(try #require(folder))/unix.socket"))
      do {
        try await body(server)
      } catch {
        Issue.record(error)
      }
      for host in [server.driver, server.neighbour].compactMap({ $0 }) {
        for machine in try await host.observe().powers.keys { try await host.ensureAbsent(machine) }
      }
    }
  }

  private init(keys: URL, _ endpoint: IncusEndpoint) throws {
    self.keys = keys
    var configuration = IncusDriver.Configuration(installation: UUID())
    configuration.member = ProcessInfo.processInfo.environment["VPSD_TEST_INCUS_MEMBER"]
    configuration.images = ImageStore(directory: ProcessInfo.processInfo.environment["VPSD_IMAGE_DIR"] ?? "var/images")
    driver = IncusDriver(configuration, at: [endpoint], dialect: nil)
    if configuration.member != nil {
      configuration.member = "m3"
      neighbour = IncusDriver(
        configuration: configuration, cluster: driver.cluster, clock: SystemClock(), logger: Logger(label: "incus"))
    } else if let other = ProcessInfo.processInfo.environment["VPSD_TEST_INCUS_OTHER"] {
      neighbour = IncusDriver(configuration, at: [.socket(path: "\(other)/unix.socket")], dialect: nil)
    } else {
      neighbour = nil
    }
    try Program.run(
      "/usr/bin/ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", keys.appendingPathComponent("key").path)
    publicKey = try String(contentsOf: keys.appendingPathComponent("key.pub"), encoding: .utf8)
      .trimmingCharacters(in: .whitespacesAndNewlines)
  }

  func specification(_ machine: UUID = UUID()) async throws -> MachineSpecification {
    // The first one brings it into the server.
    try await eventually("the image is there", within: .seconds(300)) {
      try await driver.prepareImage(Self.imageName, storageGiB: 4) != .underWay
    }
    let version = try await driver.readyImage(Self.imageName, storageGiB: 4)
    return MachineSpecification(
      machine: machine, label: "server-\(machine.text.prefix(4))",
      hostname: try #require(Hostname("web.example.com")), vcpus: 1, memoryMiB: 512, storageGiB: 4,
      imageName: Self.imageName, imageVersion: version,
      interface: NetworkInterface(address: IPv4Address(number: 0x7F5A_0000 | UInt32.random(in: 1..<0xFFFF))),
      authorizedKey: publicKey, rootPasswordHash: nil, mayCreateDisk: true)
  }

  /// Runs a command in the guest as root and returns what it prints.
  func ssh(_ specification: MachineSpecification, _ command: String) throws -> String {
    let options = [
      "StrictHostKeyChecking=no", "UserKnownHostsFile=/dev/null", "LogLevel=ERROR", "BatchMode=yes",
      "ConnectTimeout=60",
    ]
    let arguments = ["-i", keys.appendingPathComponent("key").path] + options.flatMap { ["-o", $0] }
    return try Program.run("/usr/bin/ssh", arguments + ["root@\(specification.interface.address)", command])
  }
}

extension IncusDriver {
  /// A host of its own cluster.
  ///
  /// - Parameter dialect: Nil where the server tells it.
  init(_ configuration: Configuration, at endpoints: [IncusEndpoint], dialect: ServerDialect? = .incus) {
    let cluster = IncusCluster(
      endpoints: IncusEndpoints(endpoints), project: "default", installation: configuration.installation,
      clock: SystemClock(), dialect: dialect)
    self.init(configuration: configuration, cluster: cluster, clock: SystemClock(), logger: Logger(label: "incus"))
  }
}

enum Program {
  struct Failed: Error, CustomStringConvertible { let description: String }

  @discardableResult
  static func run(_ path: String, _ arguments: String...) throws -> String { try run(path, arguments) }

  @discardableResult
  static func run(_ path: String, _ arguments: [String]) throws -> String {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: path)
    process.arguments = arguments
    let output = Pipe()
    process.standardOutput = output
    process.standardInput = FileHandle.nullDevice
    try process.run()
    let data = try output.fileHandleForReading.readToEnd() ?? Data()
    process.waitUntilExit()
    guard process.terminationStatus == 0 else {
      throw Failed(description: "\(path) \(arguments) ended with \(process.terminationStatus)")
    }
    return String(decoding: data, as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines)
  }
}

/// Asks again and again until the answer is yes, or the deadline is past.
func eventually(_ what: String, within limit: Duration, _ isSo: () async throws -> Bool) async throws {
  let deadline = ContinuousClock.now + limit
  while ContinuousClock.now < deadline {
    if try await isSo() { return }
    try await Task.sleep(for: .milliseconds(100))
  }
  throw Program.Failed(description: "not within \(limit): \(what)")
}

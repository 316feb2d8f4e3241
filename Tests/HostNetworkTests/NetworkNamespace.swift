import Core
import Foundation
import HostPrograms
import Synchronization
import Testing

@testable import HostNetwork

/// Where people are who have something to do with a server: the world, a guest, the host itself. Each has a network of its own.
protocol Place: Sendable {
  func run(_ command: String) throws -> String
}

extension Place {
  /// What comes of a question from here where silence is as good as any other answer: answered, refused, unreachable or silent.
  func ask(_ kind: String, _ address: String, _ port: Int = 0) throws -> String {
    try run("\(TestFiles.hosts)/traffic ask \(kind) \(address) \(port)")
  }

  /// The same where there is to be an answer, for which a busy machine has its time.
  func answer(_ kind: String, _ address: String, _ port: Int = 0) throws -> String {
    try run("\(TestFiles.hosts)/traffic ask \(kind) \(address) \(port) 60")
  }
}

enum TestFiles {
  static let hosts = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .appendingPathComponent("Hosts").path
  /// What the image of servers has of ours.
  static let image = URL(fileURLWithPath: hosts + "/../../images/debian-12/rootfs").standardizedFileURL.path
  /// Of this process alone, of whose number there is one in each namespace; gone when it ends.
  static let folder: String = {
    let folder = NSTemporaryDirectory() + "vpsd-network-tests-\(UUID().uuidString)"
    try? FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    atexit { try? FileManager.default.removeItem(atPath: TestFiles.folder) }
    return folder
  }()
}

/// What Tests/Hosts/network has made around this process.
struct ThisHost: Place {
  static let address = "198.51.100.2"
  static let address6 = "2001:db8:ffff::2"

  @discardableResult
  func run(_ command: String) throws -> String {
    try HostProgram("sh", ["-c", command]).run(within: .seconds(120)).trimmingCharacters(in: .whitespacesAndNewlines)
  }
}

struct World: Place {
  static let address = "192.0.2.80"
  static let address6 = "2001:db8:eeee::80"
  static let namespace = ProcessInfo.processInfo.environment["VPSD_TEST_WORLD"] ?? ""

  func run(_ command: String) throws -> String {
    try HostProgram("nsenter", ["--net=\(Self.namespace)", "sh", "-c", command]).run(within: .seconds(120))
      .trimmingCharacters(in: .whitespacesAndNewlines)
  }
}

/// A program that goes on, and says things line by line.
final class RunningProgram: Sendable {
  private let process: Process
  private let input = Pipe()
  private let output = Pipe()
  private let rest = Mutex<[UInt8]>([])

  init(_ name: String, _ arguments: [String]) throws {
    process = Process()
    process.executableURL = URL(fileURLWithPath: try #require(HostProgram.path(of: name)))
    process.arguments = arguments
    process.standardInput = input
    process.standardOutput = output
    try process.run()
  }

  func write(_ line: String) throws { try input.fileHandleForWriting.write(contentsOf: Data("\(line)\n".utf8)) }

  /// The next line; nil where there is none in time, or none ever.
  func line(within limit: Duration = .seconds(60)) -> String? {
    let deadline = ContinuousClock.now + limit
    return rest.withLock { rest in
      while true {
        if let end = rest.firstIndex(of: 10) {
          defer { rest.removeFirst(end + 1) }
          return String(decoding: rest[..<end], as: UTF8.self)
        }
        guard let remaining = deadline.remainingMilliseconds else { return nil }
        var source = pollfd(fd: output.fileHandleForReading.fileDescriptor, events: Int16(POLLIN), revents: 0)
        guard poll(&source, 1, remaining) > 0 else { return nil }
        let data = output.fileHandleForReading.availableData
        if data.isEmpty { return nil }
        rest += data
      }
    }
  }

  func endInput() { try? input.fileHandleForWriting.close() }

  func end() {
    // What it inherits may make it deaf to others.
    kill(process.processIdentifier, SIGKILL)
    process.waitUntilExit()
  }
}

/// A guest on a server's tap, without a QEMU: what it sends and gets goes through the tap as a QEMU's frames would. Or one on a
/// pair of links, as a container is.
final class Guest: Place {
  let interface: RoutedInterface
  private let program: RunningProgram

  /// - Parameter bridge: That of which its tap is a port; nil where the host routes to it.
  init(_ interface: RoutedInterface, on bridge: HostBridge? = nil) throws {
    self.interface = interface
    let gateways = [(true, HostNetworkSettings.gateway), (false, HostNetworkSettings.gateway6)].map { isIPv4, routed in
      bridge?.gateways.first { $0.address.isIPv4 == isIPv4 }?.address.description ?? routed
    }
    program = try RunningProgram(
      "python3",
      [
        "\(TestFiles.hosts)/guest", interface.tap, "\(interface.hardwareAddress)", "\(interface.addresses[0])/32",
        gateways[0],
        "\(interface.ipv6Networks[0].serverAddress)/\(interface.ipv6Networks[0].prefixLength)",
        gateways[1],
      ] + (interface.link == .pair ? ["pair"] : []))
    try #require(program.line() == "ready")
  }

  var address: String { "\(interface.addresses[0])" }
  var address6: String { interface.ipv6Networks[0].serverAddress }

  func run(_ command: String) throws -> String {
    try program.write(command)
    var lines: [String] = []
    while let line = program.line(within: .seconds(120)) {
      if line.hasPrefix("= ") { return lines.joined(separator: "\n") }
      lines.append(line)
    }
    throw DriverError(.unreachable, "the guest has ended")
  }

  /// Answers at a port until the guest ends.
  func serve(_ ports: Int...) throws {
    for (port, address) in ports.flatMap({ port in [address, address6].map { (port, $0) } }) {
      try serve(port, at: address)
    }
  }

  /// Answers at a port until the guest ends; returns once it does.
  func serve(_ port: Int, at address: String) throws {
    let file = "\(NSTemporaryDirectory())/served-\(UUID().uuidString)"
    defer { unlink(file) }
    let start = "\(TestFiles.hosts)/traffic serve \(address) \(port) >\(file) 2>&1 &"
    let wait = "for i in $(seq 600); do grep -qs ready \(file) && break; sleep 0.1; done; cat \(file)"
    #expect(try run("\(start) \(wait)") == "ready")
  }

  func end() { program.end() }

  /// As a container that ends, with whatever in it still serves.
  func endWithLink() {
    _ = try? run("ip link delete eth0")
    end()
  }
}

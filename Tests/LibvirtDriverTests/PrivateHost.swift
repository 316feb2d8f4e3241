import Core
import Foundation
import HostPrograms
import Logging
import TestSupport
import Testing

@testable import LibvirtDriver

/// A data directory of its own with everything that grows in it, and nothing of it afterwards.
struct PrivateHost {
  let dataDirectory: String
  let driver: LibvirtDriver
  let publicKey: String
  /// Where its data directory lies, if that is one of its own.
  let disk: SmallDisk?
  private let running: Task<Void, Never>

  static let imageDirectory =
    ProcessInfo.processInfo.environment["VPSD_IMAGE_DIR"]
    ?? URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent().appendingPathComponent("var/images").path
  static let imageName = "debian-12"
  /// Which libvirtd these tests are about: see Tests/Hosts.
  static let daemon: LibvirtDriver.Configuration.Daemon =
    ProcessInfo.processInfo.environment["VPSD_LIBVIRTD"] == "host" ? .host : .own

  private static let installation = UUID()

  static func with(
    images: String = imageDirectory, instantTemplates: LibvirtDriver.Configuration.InstantTemplates = .off,
    hasSmallDisk: Bool = false, _ body: (PrivateHost) async throws -> Void
  ) async throws {
    let host = try await PrivateHost(images: images, instantTemplates, hasSmallDisk: hasSmallDisk)
    do {
      try await body(host)
    } catch {
      Issue.record(error)
    }
    await host.rest()
    try await host.tearDown()
  }

  /// Ends what the driver does by itself from time to time. It still does what it is called for.
  func rest() async {
    running.cancel()
    await running.value
  }

  private init(
    images: String, _ instantTemplates: LibvirtDriver.Configuration.InstantTemplates, hasSmallDisk: Bool
  ) async throws {
    // Short, because unix sockets lie below it.
    dataDirectory = "/tmp/vpsd-\(UUID().uuidString.prefix(8).lowercased())"
    try MachineFiles.makeDirectory(dataDirectory)
    disk = hasSmallDisk ? try SmallDisk(at: dataDirectory) : nil
    _ = try await Program("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-f", "\(dataDirectory)/key"]).output()
    let key = try String(contentsOfFile: "\(dataDirectory)/key.pub", encoding: .utf8)
    publicKey = key.trimmingCharacters(in: .whitespacesAndNewlines)
    driver = try Self.makeDriver(dataDirectory, images: images, instantTemplates: instantTemplates)
    running = Task { [driver] in await driver.run() }
  }

  static func makeDriver(
    _ dataDirectory: String, installation: UUID = installation, copyDirectory: String? = nil,
    images: String = imageDirectory, instantTemplates: LibvirtDriver.Configuration.InstantTemplates = .off
  ) throws -> LibvirtDriver {
    var logger = Logger(label: "libvirt")
    logger.logLevel = .error
    var configuration = LibvirtDriver.Configuration(
      dataDirectory: dataDirectory, imageDirectory: images, installation: installation)
    configuration.daemon = daemon
    configuration.instantTemplates = instantTemplates
    if let copyDirectory { configuration.copyDirectory = copyDirectory }
    return try LibvirtDriver(configuration: configuration, clock: SystemClock(), logger: logger)
  }

  func specification(
    _ machine: UUID = UUID(), hostname: String = "web.example.com", storageGiB: Int = 4, mayCreateDisk: Bool = true,
    rootPasswordHash: String? = nil
  ) async throws -> MachineSpecification {
    let version: String
    do {
      version = try await driver.readyImage(Self.imageName, storageGiB: storageGiB)
    } catch {
      Issue.record("no image \(Self.imageName) in \(Self.imageDirectory): build it, or set VPSD_IMAGE_DIR")
      throw error
    }
    return MachineSpecification(
      machine: machine, label: "server-\(machine.text.prefix(4))", hostname: try #require(Hostname(hostname)),
      vcpus: 1, memoryMiB: 512, storageGiB: storageGiB, imageName: Self.imageName, imageVersion: version,
      interface: NetworkInterface(address: Self.unusedAddress()), authorizedKey: publicKey,
      rootPasswordHash: rootPasswordHash, mayCreateDisk: mayCreateDisk)
  }

  /// Runs a command in the guest as root and returns what it prints.
  func ssh(_ specification: MachineSpecification, _ command: String) async throws -> String {
    let options = [
      "StrictHostKeyChecking=no", "UserKnownHostsFile=/dev/null", "LogLevel=ERROR", "BatchMode=yes",
      "ConnectTimeout=60",
    ]
    return try await Program(
      "ssh",
      ["-i", "\(dataDirectory)/key", "-p", "\(driver.forwardedPorts.ssh)"] + options.flatMap { ["-o", $0] }
        + ["root@\(specification.interface.address)", command]
    ).output()
  }

  func awaitReady(_ specification: MachineSpecification) async throws {
    try await eventually("the guest is ready", within: driver.timing.bootDeadline, every: driver.timing.pollInterval) {
      let readiness = try await driver.readiness(of: specification.machine)
      return readiness.hasSSHBanner && readiness.hasAgent
    }
  }

  /// A guest of a busy machine may take longer than its shutdown is waited for by the service.
  func awaitPower(_ power: MachinePower, of machine: UUID) async throws {
    try await eventually("the machine is \(power)", within: max(.seconds(240), driver.timing.shutdownDeadline)) {
      try await driver.power(of: machine) == power
    }
  }

  /// The QEMU that libvirtd asks, or asked when it was killed, what it can do; nil where there is none.
  var probe: pid_t? {
    let folder = "\(dataDirectory)/libvirt/lib/qemu"
    let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
    return names.lazy.filter { $0.hasPrefix("qmp-") }.compactMap { name in
      HostProcess(inFile: "\(folder)/\(name)/qmp.pid") { $0.isEmulator && $0.mentions(name) }?.id
    }.first
  }

  /// The QEMU process of a machine; nil where there is none.
  static func emulator(of machine: UUID) -> pid_t? {
    (try? HostProcess.all())?.first { $0.isEmulator && $0.mentions(machine.text) }?.id
  }

  /// Whether no thread of the process goes on before somebody says so.
  static func isStopped(_ process: pid_t) -> Bool {
    let tasks = (try? FileManager.default.contentsOfDirectory(atPath: "/proc/\(process)/task")) ?? []
    return !tasks.isEmpty
      && tasks.allSatisfy { task in
        let status = FileManager.default.contents(atPath: "/proc/\(process)/task/\(task)/stat") ?? Data()
        // Its name may have spaces and brackets in it.
        return String(decoding: status, as: UTF8.self).split(separator: ")").last?.hasPrefix(" T ") == true
      }
  }

  /// The process of libvirtd; nil where there is none.
  var daemonProcess: pid_t? {
    if let own = driver.hypervisor.daemon as? PrivateLibvirtd { return own.processID }
    return HostProcess(inFile: "/run/libvirt/libvirtd.pid") { $0.program.hasSuffix("libvirtd") }?.id
  }

  static func unusedAddress() -> IPv4Address {
    IPv4Address(number: 0x7F5A_0000 | UInt32.random(in: 1..<0xFFFF))
  }

  private func tearDown() async throws {
    do { try disk?.makeRoom() } catch { Issue.record(error) }
    let machines = (try? ServerFiles.machines(dataDirectory: dataDirectory)) ?? []
    do {
      for machine in try await driver.observe().powers.keys { try await driver.ensureAbsent(machine) }
      try await driver.stop()
    } catch {
      Issue.record(error)
      driver.hypervisor.daemon.kill()
      for process in machines.compactMap(Self.emulator) { kill(process, SIGKILL) }
    }
    try disk?.end()
    try MachineFiles.remove(dataDirectory)
  }
}

/// Asks again and again until the answer is yes, or the deadline is past.
func eventually(
  _ what: String, within limit: Duration, every interval: Duration = .milliseconds(100),
  sourceLocation: SourceLocation = #_sourceLocation,
  _ isSo: () async throws -> Bool
) async throws {
  let deadline = ContinuousClock.now + limit
  while ContinuousClock.now < deadline {
    if try await isSo() { return }
    try await Task.sleep(for: interval)
  }
  throw Missed(description: "not within \(limit): \(what) (\(sourceLocation))")
}

struct Missed: Error, CustomStringConvertible {
  let description: String
}

/// A program of the host whose output matters.
struct Program {
  let name: String
  let arguments: [String]

  init(_ name: String, _ arguments: [String]) {
    self.name = name
    self.arguments = arguments
  }

  func output(input: [UInt8] = []) async throws -> String {
    let threads = BlockingThreads(name: "program", width: 1)
    return try await threads.run(name, within: .seconds(240)) { [name, arguments] in
      let process = Process()
      process.executableURL = URL(fileURLWithPath: try #require(HostProgram.path(of: name)))
      process.arguments = arguments
      let (stdin, stdout, stderr) = (Pipe(), Pipe(), Pipe())
      process.standardInput = stdin
      process.standardOutput = stdout
      process.standardError = stderr
      try process.run()
      try stdin.fileHandleForWriting.write(contentsOf: input)
      try stdin.fileHandleForWriting.close()
      let output = try stdout.fileHandleForReading.readToEnd() ?? Data()
      let errors = try stderr.fileHandleForReading.readToEnd() ?? Data()
      process.waitUntilExit()
      guard process.terminationStatus == 0 else {
        throw DriverError(.rejected, "\(name) failed: \(String(decoding: errors, as: UTF8.self))")
      }
      return String(decoding: output, as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines)
    }
  }
}

extension LibvirtDriver {
  /// Those that machines are defined with from now on.
  var forwardedPorts: ForwardedPorts { (network as? LoopbackNetwork)?.ports.current ?? ForwardedPorts(rules: []) }
}

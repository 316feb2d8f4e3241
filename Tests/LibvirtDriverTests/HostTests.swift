import Core
import Foundation
import HostImages
import HostPrograms
import Logging
import PrivateFiles
import Synchronization
import TestSupport
import Testing

@testable import LibvirtDriver

@Suite("The host")
struct HostTests {
  @Test("KVM needs both the processor and the device")
  func accelerator() {
    let capable = "processor : 0\nflags\t\t: fpu vme svm\n"
    let incapable = "processor : 0\nflags\t\t: fpu vme svmlock hypervisor\n"
    #expect(Accelerator.detected(processors: capable, canOpenDevice: true) == .kvm)
    #expect(Accelerator.detected(processors: capable, canOpenDevice: false) == .tcg)
    #expect(Accelerator.detected(processors: incapable, canOpenDevice: true) == .tcg)
  }

  @Test("A port that is taken everywhere is replaced by one that is not")
  func ports() throws {
    let free = try ForwardedPorts.chosen(for: [22, 80]) { _ in true }
    #expect(free.rules == [.init(host: 22, guest: 22), .init(host: 80, guest: 80)])
    let moved = try ForwardedPorts.chosen(for: [22, 2222, 80]) { $0 != 22 && $0 != 80 }
    #expect(moved.rules.map(\.host) == [10_022, 2222, 8080])
    #expect(moved.ssh == 10_022)
    // Where QEMU may not listen below a port, nobody needs to hold those.
    let raised = try ForwardedPorts.chosen(for: [22, 80, 443, 5432], from: 1024) { _ in true }
    #expect(raised.rules.map(\.host) == [2222, 8080, 8443, 5432])
    #expect(throws: DriverError.self) { try ForwardedPorts.chosen(for: [22]) { _ in false } }
  }

  @Test("A port that something takes is left to it for good, while the service runs and after a restart")
  func keptPorts() async throws {
    try await withTemporaryFolder { folder in
      let taken = Mutex<Set<UInt16>>([])
      let path = folder.path + "/forwarded-ports"
      func choice(from lowestPort: UInt16 = 1) throws -> PortChoice {
        try PortChoice(
          for: [22, 80], from: lowestPort, path: path,
          logger: Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() })
        ) { port in taken.withLock { !$0.contains(port) } }
      }
      let first = try choice()
      #expect(try first.renewed().rules.map(\.host) == [22, 80])
      taken.withLock { $0 = [80] }
      #expect(first.current.rules.map(\.host) == [22, 80])
      #expect(try first.renewed().rules.map(\.host) == [22, 8080])
      taken.withLock { $0 = [] }
      #expect(try first.renewed().rules.map(\.host) == [22, 8080])
      #expect(try choice().current.rules.map(\.host) == [22, 8080])
      // Not even where the other one is gone, too.
      taken.withLock { $0 = [8080] }
      #expect(try choice().renewed().rules.map(\.host) == [22, 10_080])
      taken.withLock { $0 = [22, 80, 8080, 10_080, 2222, 20_080, 30_080, 40_080, 50_080] }
      let error = #expect(throws: DriverError.self) { try choice() }
      #expect(error?.detail.contains("port 80 is taken on every address of this host") == true)
      taken.withLock { $0 = [] }
      unlink(path)
      // What only a privilege was missing for is not kept.
      #expect(try choice(from: 1024).renewed().rules.map(\.host) == [2222, 8080])
      #expect(try choice().renewed().rules.map(\.host) == [22, 80])
      // What is no choice is as good as none.
      try PrivateFile.write(Array("22 x\n".utf8), to: path)
      taken.withLock { $0 = [] }
      #expect(try choice().current.rules.map(\.host) == [22, 80])
    }
  }

  private static func onlyLooking(in folder: URL) throws -> LibvirtDriver {
    var configuration = LibvirtDriver.Configuration(
      dataDirectory: folder.path, imageDirectory: folder.path, installation: UUID())
    configuration.onlyLooks = true
    return try LibvirtDriver(
      configuration: configuration, clock: SystemClock(),
      logger: Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() }))
  }

  @Test("A look starts no libvirtd and ends none")
  func onlyLooks() async throws {
    try await withTemporaryFolder { folder in
      let driver = try Self.onlyLooking(in: folder)
      await #expect {
        _ = try await driver.observe()
      } throws: { error in
        (error as? DriverError)?.kind == .unreachable
          && (error as? DriverError)?.detail.contains("no libvirtd of this data directory runs") == true
      }
      driver.close()
      #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path).isEmpty)
    }
  }

  @Test("The port that a running machine has is told by the next process too, while its hypervisor does not answer")
  func runningPorts() async throws {
    try await withTemporaryFolder { folder in
      let path = folder.path + "/running-ports"
      let (moved, ordinary) = (UUID(), UUID())
      func mark(_ number: UInt32, _ port: UInt16) -> MachineMark {
        MachineMark(
          installation: UUID(), label: "server-1", address: IPv4Address(number: 0x7F50_0000 + number), sshPort: port)
      }
      let earlier = RunningPorts(path: path)
      earlier.note(moved, runID: 3, as: mark(1, 2222))
      earlier.note(ordinary, runID: 4, as: mark(2, 22))
      try earlier.record()

      let driver = try Self.onlyLooking(in: folder)
      await #expect(throws: DriverError.self) { _ = try await driver.observe() }
      #expect(driver.sshPort(of: moved) == 2222)
      #expect(driver.sshPort(of: ordinary) == 22)
      driver.close()

      // It has yet to be looked at, and what does not run any more is forgotten.
      let next = RunningPorts(path: path)
      #expect(!next.isKnown(moved, runID: 3) && next.address(of: moved)?.description == "127.80.0.1")
      next.retain([ordinary])
      try next.record()
      #expect(RunningPorts(path: path).sshPort(of: moved) == nil)
      try PrivateFile.write("\(moved) 127.80.0.1 x\n\(moved)\n".utf8, to: path)
      #expect(RunningPorts(path: path).sshPort(of: moved) == nil)
    }
  }

  @Test("A server keeps the hardware address that it was made with, and new ones have that of the register")
  func hardwareAddress() async throws {
    try await withTemporaryFolder { folder in
      let machine = try #require(UUID(uuidString: "6F9619FF-8B86-D011-B42D-00CF4FC964FF"))
      let driver = try LibvirtDriver(
        configuration: .init(dataDirectory: folder.path, imageDirectory: folder.path, installation: UUID()),
        clock: SystemClock(), logger: Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() }))
      func specification(_ hardwareAddress: HardwareAddress? = nil) throws -> MachineSpecification {
        MachineSpecification(
          machine: machine, label: "server-1", hostname: try #require(Hostname("a")), vcpus: 1, memoryMiB: 512,
          storageGiB: 1, imageName: "i", imageVersion: "1",
          interface: NetworkInterface(address: IPv4Address(number: 0x7F50_000B), hardwareAddress: hardwareAddress),
          authorizedKey: nil, rootPasswordHash: nil, mayCreateDisk: true)
      }
      // One that was made by an earlier version has a folder and a disk.
      let files = driver.files(of: machine)
      try FileManager.default.createDirectory(atPath: files.folder, withIntermediateDirectories: true)
      #expect(try driver.definition(of: specification()).xml.contains("mac=52:54:00:c9:64:ff,"))
      try Data().write(to: URL(fileURLWithPath: files.hardwareAddressMark))
      #expect(try driver.definition(of: specification()).xml.contains("mac=52:cf:4f:c9:64:ff,"))
      let registered = HardwareAddress(number: 0x5600_0000_0A0B)
      #expect(try driver.definition(of: specification(registered)).xml.contains("mac=56:00:00:00:0a:0b,"))
    }
  }

  @Test("A listener on all addresses holds its port on every loopback address")
  func wildcardListener() throws {
    let listener = try Listener(address: IPv4Address(number: 0))
    defer { listener.close() }
    #expect(!ForwardedPorts.canBind(PrivateHost.unusedAddress(), port: listener.port))
  }

  @Test("A path that is too long for a socket is refused with its name")
  func longPath() {
    let directory = "/" + String(repeating: "d", count: 100)
    let error = #expect(throws: DriverError.self) {
      try PrivateLibvirtd(directory: directory, logger: Logger(label: "test"))
    }
    #expect(error?.detail.contains(directory) == true)
  }

  @Test("Names that would leave the image store are refused", arguments: ["..", "", "a/b", ".hidden", "none"])
  func imageNames(name: String) async throws {
    let store = ImageStore(directory: "/nonexistent")
    let error = #expect(throws: DriverError.self) { try store.currentVersion(of: name) }
    #expect(error?.kind == .notFound && error?.customerReason != nil)
  }

  @Test("A command that fails says why, one that hangs is killed, one that is missing is named")
  func commands() throws {
    try HostProgram("true", []).run(within: .seconds(60))
    let failure = #expect(throws: DriverError.self) {
      try HostProgram("sh", ["-c", "echo no room >&2; exit 3"]).run(within: .seconds(60))
    }
    #expect(failure?.detail.contains("no room") == true)
    let begin = ContinuousClock.now
    let hanging = #expect(throws: DriverError.self) {
      try HostProgram("sleep", ["600"]).run(within: .milliseconds(50))
    }
    #expect(hanging?.kind == .unreachable)
    #expect(ContinuousClock.now - begin < .seconds(120))
    #expect(throws: DriverError.self) { try HostProgram("no-such", []).run(within: .seconds(1)) }
  }

  @Test("A command tells what it wrote, and ends when it is stopped")
  func stoppedCommand() throws {
    let stop = StopSignal()
    #expect(try HostProgram("echo", ["done"]).run(within: .seconds(60), stop: stop) == "done\n")
    Thread.detachNewThread {
      usleep(50_000)
      stop.set()
    }
    let begin = ContinuousClock.now
    let error = #expect(throws: DriverError.self) {
      try HostProgram("sleep", ["600"]).run(within: .seconds(600), stop: stop)
    }
    #expect(error?.isWorthRetrying == true)
    #expect(ContinuousClock.now - begin < .seconds(120))
  }

  @Test("A QEMU that was told to end is told from a guest that shut down")
  func qemuLog() throws {
    let path = "/tmp/vpsd-\(UUID().text).log"
    defer { unlink(path) }
    #expect(!QEMULog.endedBySignal(path: path))
    let ordinary = "qemu: terminating on signal 15 from pid 7 (libvirtd)\nshutting down, reason=shutdown\n"
    try PrivateFile.write(Array(ordinary.utf8), to: path)
    #expect(!QEMULog.endedBySignal(path: path))
    let signalled = "qemu-system-x86_64: terminating on signal 15 from pid 1 (init)\nshutting down, reason=shutdown\n"
    try PrivateFile.write(Array(signalled.utf8), to: path)
    #expect(QEMULog.endedBySignal(path: path))
    try PrivateFile.write(
      Array((signalled + String(repeating: "-", count: 2000) + "\nreason=shutdown\n").utf8), to: path)
    #expect(!QEMULog.endedBySignal(path: path))
  }

  @Test("A QEMU that complains without end fills no disk, and its log still tells how it ended")
  func longLogs() async throws {
    try await withTemporaryFolder { folder in
      let logs = PrivateLibvirtd.emulatorLogs(dataDirectory: folder.path)
      try MachineFiles.makeDirectory(logs)
      let (long, short) = ("\(logs)/vpsd-server-1.log", "\(logs)/vpsd-server-2.log")
      let words = "qemu-system-x86_64: terminating on signal 15 from pid 1 (init)\n"
      try PrivateFile.write(Array(words.utf8), to: short)
      try PrivateFile.write([], to: long)
      let file = try #require(FileHandle(forWritingAtPath: long))
      defer { try? file.close() }
      let complaints = Data(String(repeating: "virtio-serial-bus: Unexpected port id 7\n", count: 1 << 15).utf8)
      func complain() throws {
        for _ in 1...40 { try file.write(contentsOf: complaints) }
      }
      let rounds = ConsoleLogs(
        dataDirectory: folder.path, emulatorLogs: logs, clock: ManualClock(),
        logger: Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() }))

      try complain()
      try file.write(contentsOf: Data(words.utf8))
      try rounds.trim()
      #expect(try MachineFiles.allocatedBytes(of: long) < 1 << 20)
      #expect(QEMULog.endedBySignal(path: long))
      #expect(try String(contentsOfFile: short, encoding: .utf8) == words)

      // The same QEMU goes on where it was.
      try complain()
      try rounds.trim()
      #expect(try MachineFiles.allocatedBytes(of: long) < 1 << 20)
      #expect(!QEMULog.endedBySignal(path: long))
    }
  }
}

@Suite("Threads for calls that block")
struct BlockingThreadsTests {
  @Test("Calls that hang are given up, and others still get through")
  func hangingCalls() async throws {
    let threads = BlockingThreads(name: "test", width: 2)
    let gate = DispatchSemaphore(value: 0)
    for _ in 1...4 {
      await #expect {
        try await threads.run("hang", within: .milliseconds(20)) { gate.wait() }
      } throws: {
        ($0 as? DriverError)?.kind == .unreachable
      }
    }
    expectEqual(try await threads.run("work", within: .seconds(60)) { 42 }, 42)
    for _ in 1...4 { gate.signal() }
    expectEqual(try await threads.run("work", within: .seconds(60)) { 43 }, 43)
  }

  @Test("Calls that hang take a bounded number of threads")
  func bound() async throws {
    let threads = BlockingThreads(name: "test", width: 1)
    let gate = DispatchSemaphore(value: 0)
    let entered = Mutex(0)
    func hang() async {
      _ = try? await threads.run("hang", within: .milliseconds(20)) {
        entered.withLock { $0 += 1 }
        gate.wait()
      }
    }
    // One that has no thread by then is forgotten.
    let areAllTaken = await comesTrue {
      await hang()
      return entered.withLock { $0 } == 4
    }
    #expect(areAllTaken)
    for _ in 1...4 { await hang() }
    #expect(entered.withLock { $0 } == 4)
    for _ in 1...4 { gate.signal() }
  }

  @Test("No more calls run at once than there are threads, and all of them run")
  func width() async throws {
    let threads = BlockingThreads(name: "test", width: 3)
    let load = Load()
    let calls = (1...200).map { number in
      Task {
        try await threads.run("work", within: .seconds(60)) { load.measure { number } }
      }
    }
    var sum = 0
    for call in calls { sum += try await call.value }
    #expect(sum == 20_100)
    #expect(load.most <= 3)
  }

  private final class Load: Sendable {
    private let running = Mutex(0)
    private let peak = Mutex(0)

    var most: Int { peak.withLock { $0 } }

    func measure(_ body: () -> Int) -> Int {
      let now = running.withLock { running in
        running += 1
        return running
      }
      peak.withLock { $0 = max($0, now) }
      defer { running.withLock { $0 -= 1 } }
      return body()
    }
  }
}

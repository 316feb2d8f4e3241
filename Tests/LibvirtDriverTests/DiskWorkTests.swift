import Core
import Foundation
import HostImages
import PrivateFiles
import Synchronization
import Testing

@testable import LibvirtDriver

@Suite("Work on disks", .timeLimit(.minutes(15)))
struct DiskWorkTests {
  private let work = DiskWork(width: 2)
  private let log = Log()

  private final class Log: Sendable {
    private let begun = Mutex<[DiskWork.Key]>([])

    var keys: [DiskWork.Key] { begun.withLock { $0 } }
    func note(_ key: DiskWork.Key) { begun.withLock { $0.append(key) } }
  }

  private func copy(of machine: UUID = UUID()) -> DiskWork.Key { .init(machine: machine, purpose: .copy(UUID())) }
  private func restore(of machine: UUID = UUID()) -> DiskWork.Key { .init(machine: machine, purpose: .restore(UUID())) }

  /// Goes on until it is ended.
  private func endless(_ key: DiskWork.Key) throws {
    _ = try work.isDone(key) { [log] in
      log.note(key)
      try await Task.sleep(for: .seconds(3600))
    }
  }

  private func eventuallyBegun(_ keys: DiskWork.Key...) async throws {
    try await eventually("\(keys) have begun", within: .seconds(120), every: .milliseconds(2)) { log.keys == keys }
  }

  @Test("It is begun once, however often it is asked for, and its end is told once")
  func once() async throws {
    let (key, gate) = (restore(), DispatchSemaphore(value: 0))
    let body: DiskWork.Body = { [log] in
      log.note(key)
      await withCheckedContinuation { continuation in
        Thread.detachNewThread {
          gate.wait()
          continuation.resume()
        }
      }
    }
    for _ in 1...3 { #expect(try !work.isDone(key, body)) }
    gate.signal()
    try await eventually("it is done", within: .seconds(120), every: .milliseconds(2)) { try work.isDone(key, body) }
    #expect(log.keys.count == 1)
    #expect(try !work.isDone(key, body))
    gate.signal()
  }

  @Test("A failure is told once, and the next request begins anew")
  func failure() async throws {
    let (key, failure) = (copy(), DriverError(.exhausted, "no room"))
    let body: DiskWork.Body = { [log] in
      log.note(key)
      throw failure
    }
    for count in 1...2 {
      await #expect(throws: failure) {
        try await eventually("it fails", within: .seconds(120), every: .milliseconds(2)) { try work.isDone(key, body) }
      }
      #expect(log.keys.count == count)
    }
  }

  @Test("So much goes on at once, one thing a machine; the rest waits its turn, unless nobody wants it any more")
  func turns() async throws {
    let machine = UUID()
    let (first, sameMachine) = (copy(of: machine), restore(of: machine))
    let (second, third, fourth) = (copy(), copy(), copy())
    try endless(first)
    try endless(sameMachine)
    try endless(second)
    try endless(third)
    try endless(fourth)
    try await eventually("two have begun", within: .seconds(120), every: .milliseconds(2)) {
      Set(log.keys) == [first, second]
    }
    try await work.end { $0 == third }
    try await work.end { $0 == second }
    #expect(work.isRunning(on: machine) && !work.isRunning(on: second.machine))
    try await eventually("the fourth has begun", within: .seconds(120), every: .milliseconds(2)) {
      log.keys.last == fourth
    }
    try await work.end { $0 == first }
    try await eventually("the machine has its next turn", within: .seconds(120), every: .milliseconds(2)) {
      log.keys.last == sameMachine
    }
    #expect(!log.keys.contains(third))
    try await work.end { _ in true }
    #expect([first, second, fourth].allSatisfy { !work.isRunning(on: $0.machine) })
  }

  @Test("Work that is ended says whether it was done nevertheless, and is forgotten")
  func doneNevertheless() async throws {
    let (ended, done) = (restore(), restore())
    try endless(ended)
    try await eventuallyBegun(ended)
    #expect(try await !work.end(ended))
    let body: DiskWork.Body = {}
    #expect(try !work.isDone(done, body))
    try await eventually("it is over", within: .seconds(120), every: .milliseconds(2)) {
      !work.isRunning(on: done.machine)
    }
    #expect(try await work.end(done))
    #expect(try await !work.end(done))
  }

  @Test("A thaw waits for nobody")
  func thaw() async throws {
    let machine = UUID()
    for key in [copy(of: machine), copy()] { try endless(key) }
    let thaw = DiskWork.Key(machine: machine, purpose: .thaw)
    try endless(thaw)
    try await eventually("it has begun", within: .seconds(120), every: .milliseconds(2)) { log.keys.contains(thaw) }
    try await work.end { _ in true }
  }

  @Test("Whoever ends work waits until it has cleaned up")
  func cleanUp() async throws {
    let key = copy()
    let isClean = Mutex(false)
    _ = try work.isDone(key) { [log] in
      log.note(key)
      try? await Task.sleep(for: .seconds(3600))
      await Task { try? await Task.sleep(for: .milliseconds(50)) }.value
      isClean.withLock { $0 = true }
    }
    try await eventuallyBegun(key)
    try await work.end { $0 == key }
    #expect(isClean.withLock { $0 })
  }
}

@Suite("The header of a disk's image")
struct QCOW2HeaderTests {
  @Test("Tells its size and what it stands on, and nothing of another file")
  func header() async throws {
    let folder = "/tmp/vpsd-\(UUID().text)"
    try MachineFiles.makeDirectory(folder)
    defer { try? MachineFiles.remove(folder) }
    let (base, overlay, other) = ("\(folder)/base", "\(folder)/overlay", "\(folder)/other")
    _ = try await Program("qemu-img", ["create", "-f", "qcow2", base, "3G"]).output()
    _ = try await Program("qemu-img", ["create", "-f", "qcow2", "-F", "qcow2", "-b", base, overlay, "5G"]).output()
    let alone = try QCOW2Header(path: base)
    #expect(alone.virtualSizeBytes == 3 << 30 && alone.backingFile == nil)
    let allocated = try MachineFiles.allocatedBytes(of: overlay)
    let dependent = try QCOW2Header(path: overlay)
    #expect(dependent.virtualSizeBytes == 5 << 30 && dependent.backingFile == base)
    #expect(try Disk(path: overlay).contentBytes() > allocated)
    #expect(alone.isStandalone && !dependent.isStandalone)
    let (external, content) = ("\(folder)/external", "\(folder)/content")
    let options = "data_file=\(content),data_file_raw=on"
    _ = try await Program("qemu-img", ["create", "-f", "qcow2", "-o", options, external, "3G"]).output()
    let elsewhere = try QCOW2Header(path: external)
    #expect(elsewhere.backingFile == nil && !elsewhere.isStandalone)
    try PrivateFile.write([UInt8](repeating: 7, count: 16), to: other)
    #expect(throws: DriverError.self) { try QCOW2Header(path: other) }
  }
}

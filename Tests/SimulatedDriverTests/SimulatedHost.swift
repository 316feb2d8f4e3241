import Core
import Foundation
import SimulatedDriver
import Synchronization
import TestSupport

/// A simulated driver on a folder of its own, with the clock in our hand.
struct SimulatedHost: Sendable {
  let folder: URL
  let installation = UUID()
  let clock = ManualClock()
  private let sharesStorage: Bool
  let driver: SimulatedDriver
  private let addresses = AddressCounter()

  /// - Parameter sharesStorage: Whether it reaches its disks where its neighbour reaches them, too.
  init(
    folder: URL, sharesStorage: Bool = false, options: SimulatedDriver.Options = SimulatedDriver.Options()
  ) throws {
    self.folder = folder
    self.sharesStorage = sharesStorage
    driver = try SimulatedDriver(
      installation: installation, dataDirectory: folder, storage: sharesStorage ? Self.storage("one", folder) : nil,
      clock: clock, options: options)
  }

  private static func storage(_ host: String, _ folder: URL) -> SharedStorage {
    SharedStorage(in: folder.appendingPathComponent("shared"), for: host)
  }

  /// Another process of the same installation, or of another one.
  func another(installation: UUID? = nil) throws -> SimulatedDriver {
    try SimulatedDriver(installation: installation ?? self.installation, dataDirectory: folder, clock: clock)
  }

  /// The same host in another process.
  func again() throws -> SimulatedDriver {
    try SimulatedDriver(
      installation: installation, dataDirectory: folder, storage: sharesStorage ? Self.storage("one", folder) : nil,
      clock: clock)
  }

  /// Another host of the same installation.
  func neighbour() throws -> SimulatedDriver {
    try SimulatedDriver(
      installation: installation, dataDirectory: folder.appendingPathComponent("hosts/neighbour"),
      storage: sharesStorage ? Self.storage("neighbour", folder) : nil, clock: clock)
  }

  func specification(
    machine: UUID = UUID(), vcpus: Int = 1, storageGiB: Int = 5, mayCreateDisk: Bool = true, name: String = "web-1",
    imageName: String = "debian-12"
  ) -> MachineSpecification {
    MachineSpecification(
      machine: machine, label: "server-1", hostname: Hostname(name)!, vcpus: vcpus, memoryMiB: 512,
      storageGiB: storageGiB, imageName: imageName, imageVersion: SimulatedDriver.imageVersion,
      interface: NetworkInterface(address: addresses.next()), authorizedKey: "ssh-ed25519 AAAA me@here",
      rootPasswordHash: nil,
      mayCreateDisk: mayCreateDisk)
  }

  /// A machine that is defined and, unless told otherwise, runs with a guest that is ready.
  func makeMachine(isRunning: Bool = true) async throws -> UUID {
    let specification = specification()
    try await driver.ensureDefined(specification)
    if isRunning {
      try await driver.start(specification.machine)
      clock.advance(by: .milliseconds(600))
    }
    return specification.machine
  }

  /// A whole copy of the machine's disk.
  func makeCopy(of machine: UUID) async throws -> UUID {
    let copy = UUID()
    while try await driver.ensureCopied(machine, as: copy) == .underWay { clock.advance(by: .milliseconds(250)) }
    return copy
  }

  func file(ofCopy copy: UUID) -> URL {
    folder.appendingPathComponent("simulated/copies/\(copy.uuidString.lowercased()).json")
  }

  func file(of machine: UUID) -> URL {
    folder.appendingPathComponent("simulated/machines/\(machine.uuidString.lowercased()).json")
  }
}

func withSimulatedHost(
  sharesStorage: Bool = false, options: SimulatedDriver.Options = SimulatedDriver.Options(),
  _ body: (SimulatedHost) async throws -> Void
) async throws {
  try await withTemporaryFolder { folder in
    try await body(SimulatedHost(folder: folder, sharesStorage: sharesStorage, options: options))
  }
}

private final class AddressCounter: Sendable {
  private let last = Mutex(AddressPool("127.80.0.0/16")!.first)

  func next() -> IPv4Address {
    last.withLock { last in
      last = IPv4Address(number: last.number + 1)
      return last
    }
  }
}

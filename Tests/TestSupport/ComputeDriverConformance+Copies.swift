import Core
import Foundation
import Synchronization
import Testing

extension ComputeDriverConformance {
  static let unknownChecksum = String(repeating: "0", count: 64)

  func copyOfMachineThatIsOff() async throws {
    try await withMachine { specification in
      let (machine, copy) = (specification.machine, UUID())
      try await driver.ensureDefined(specification)
      let copied = try await copied(machine, as: copy)
      #expect(copied.sizeBytes > 0)
      #expect(copied.checksum.wholeMatch(of: /[0-9a-f]{64}/) != nil)
      #expect(try await driver.ensureCopied(machine, as: copy) == .done(copied))
      #expect(try await driver.power(of: machine) == .off(.other))

      await expectError(.rejected) {
        _ = try await self.restored(machine, from: copy, checksum: Self.unknownChecksum)
      }
      await expectError(.notFound) {
        _ = try await driver.ensureRestored(machine, from: UUID(), checksum: copied.checksum)
      }
      await expectError(.notFound) {
        _ = try await driver.ensureRestored(UUID(), from: copy, checksum: copied.checksum)
      }
      try await twice { try await self.restored(machine, from: copy, checksum: copied.checksum) }
      #expect(try await driver.ensureRestored(machine, from: copy, checksum: copied.checksum) == .underWay)
      // What cannot be called back is waited for; after that nothing goes on.
      _ = try await driver.endRestore(of: machine, from: copy)
      #expect(try await !driver.endRestore(of: machine, from: copy))
      try await driver.ensureDefined(specification.with(mayCreateDisk: false))
      #expect(try await driver.ensureCopied(machine, as: copy) == .done(copied))

      try await twice { try await driver.ensureCopyAbsent(copy, of: machine) }
      await expectError(.notFound) {
        _ = try await driver.ensureRestored(machine, from: copy, checksum: copied.checksum)
      }
      #expect(try await driver.observe().powers[machine] == .off(.other))
    }
  }

  func copyOfRunningMachine() async throws {
    try await withMachine { specification in
      let (machine, copy) = (specification.machine, UUID())
      try await driver.ensureDefined(specification)
      try await driver.start(machine)
      // The guest is still booting, and does not answer.
      let copied = try await copied(machine, as: copy)
      #expect(try await driver.power(of: machine) == .running)
      await expectError(.rejected) {
        _ = try await driver.ensureRestored(machine, from: copy, checksum: copied.checksum)
      }
      #expect(try await driver.power(of: machine) == .running)
      try await driver.powerOff(machine)
      try await restored(machine, from: copy, checksum: copied.checksum)
      try await driver.start(machine)
      #expect(try await driver.power(of: machine) == .running)
    }
  }

  func copiesGoWithMachine() async throws {
    try await withMachine { specification in
      let (machine, whole, half) = (specification.machine, UUID(), UUID())
      try await driver.ensureDefined(specification)
      let copied = try await copied(machine, as: whole)
      try await driver.start(machine)
      _ = try await driver.ensureCopied(machine, as: half)
      try await twice { try await driver.ensureAbsent(machine) }
      #expect(try await driver.power(of: machine) == .absent)
      #expect(try await driver.observe().powers[machine] == nil)
      await expectError(.notFound) {
        _ = try await driver.ensureRestored(machine, from: whole, checksum: copied.checksum)
      }
      await expectError(.notFound) { _ = try await driver.ensureCopied(machine, as: half) }
      #expect(try await driver.observe().powers[machine] == nil)
    }
  }

  func newDisk() async throws {
    try await withMachine { specification in
      let (machine, copy) = (specification.machine, UUID())
      try await driver.ensureDefined(specification)
      let copied = try await copied(machine, as: copy)
      try await driver.start(machine)
      await expectError(.rejected) { try await driver.ensureDiskAbsent(machine) }
      #expect(try await driver.power(of: machine) == .running)
      try await driver.powerOff(machine)

      try await twice { try await driver.ensureDiskAbsent(machine) }
      #expect(try await driver.power(of: machine) == .off(.other))
      await expectError(.notFound) { try await driver.start(machine) }
      await expectError(.notFound) { _ = try await driver.ensureCopied(machine, as: UUID()) }
      await expectError(.notFound) { try await driver.ensureDefined(specification.with(mayCreateDisk: false)) }
      try await restored(machine, from: copy, checksum: copied.checksum)
      try await driver.ensureDefined(specification.with(mayCreateDisk: false))

      try await driver.ensureDiskAbsent(machine)
      try await driver.ensureDefined(specification)
      try await driver.start(machine)
      #expect(try await driver.power(of: machine) == .running)
      #expect(try await driver.ensureCopied(machine, as: copy) == .done(copied))
    }
  }

  func copied(_ machine: UUID, as copy: UUID) async throws -> CopiedDisk {
    let result = Mutex<CopiedDisk?>(nil)
    try await waitUntil("the disk is copied") {
      guard case .done(let disk) = try await driver.ensureCopied(machine, as: copy) else { return false }
      result.withLock { $0 = disk }
      return true
    }
    return try #require(result.withLock { $0 })
  }

  private func restored(_ machine: UUID, from copy: UUID, checksum: String) async throws {
    try await waitUntil("the disk is restored") {
      try await driver.ensureRestored(machine, from: copy, checksum: checksum) == .done
    }
  }
}

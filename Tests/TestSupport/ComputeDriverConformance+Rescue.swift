import Core
import Foundation
import Testing

extension ComputeDriverConformance {
  func rescue() async throws {
    try await withMachine { specification in
      let machine = specification.machine
      let rescued = specification.with(mayCreateDisk: false, rescue: Self.system(specification, mayCreateDisk: true))
      let again = specification.with(mayCreateDisk: false, rescue: Self.system(specification, mayCreateDisk: false))
      let system = Self.system(specification, mayCreateDisk: true)
      await expectError(.notFound) { try await driver.requireRescuable(machine, by: system) }
      try await driver.ensureDefined(specification)
      try await twice { try await driver.requireRescuable(machine, by: system) }
      await expectError(.busy, .unreachable) {
        try await driver.setPassword(hash: Self.hash, of: "root", in: machine)
      }
      await expectError(.notFound) { try await driver.ensureDefined(again) }
      try await twice { try await driver.ensureDefined(rescued) }
      #expect(try await driver.power(of: machine) == .off(.other))
      try await twice { try await driver.start(machine) }
      try await waitUntil("the rescue system is ready") {
        let readiness = try await driver.readiness(of: machine)
        return readiness.hasSSHBanner && readiness.hasAgent
      }
      // The machine runs from the rescue disk, so its own disk cannot be copied.
      await expectError(.rejected) { _ = try await driver.ensureCopied(machine, as: UUID()) }
      try await twice { try await driver.ensureDefined(again) }
      #expect(try await driver.power(of: machine) == .running)
      try await driver.applyHostname(specification.hostname, to: machine)
      try await twice { try await driver.setPassword(hash: Self.hash, of: "root", in: machine) }

      try await driver.powerOff(machine)
      try await driver.ensureDefined(again)
      let own = specification.with(mayCreateDisk: false)
      try await twice { try await driver.ensureDefined(own) }
      await expectError(.notFound) { try await driver.ensureDefined(again) }
      try await driver.ensureDefined(own)
      try await driver.start(machine)
      #expect(try await driver.power(of: machine) == .running)
      try await twice { try await driver.ensureAbsent(machine) }
      #expect(try await driver.power(of: machine) == .absent)
    }
  }

  /// crypt(3) of "a".
  private static let hash =
    "$6$rounds=1000$saltsaltsaltsalt$Ql2D6ruxBx.9DrFKXsZ0Vb2bVxQq2z4Yp0tq1bM7mS2eGd4hR1tS3oJc9ZsV3hHk9yq2e4Wc1uT0yZc8rXk1X."

  private static func system(_ specification: MachineSpecification, mayCreateDisk: Bool) -> RescueSpecification {
    RescueSpecification(
      imageName: specification.imageName, imageVersion: specification.imageVersion, storageGiB: 4,
      authorizedKey: specification.authorizedKey, rootPasswordHash: nil, mayCreateDisk: mayCreateDisk)
  }
}

import Core
import Foundation
import PrivateFiles
import Testing

@testable import LibvirtDriver

extension MachineLifeTests {
  @Test(
    "User data is in the server's seed for as long as it is the server's, for nobody else to read, and gone with it")
  func userData() async throws {
    try await PrivateHost.with { host in
      var specification = try await host.specification()
      let machine = specification.machine
      let secret = "#!/bin/sh\necho the-secret-of-the-customer\n"
      func define(_ userData: String?) async throws {
        specification = MachineSpecification(
          machine: machine, label: specification.label, hostname: specification.hostname, vcpus: 1, memoryMiB: 512,
          storageGiB: 4, imageName: specification.imageName, imageVersion: specification.imageVersion,
          interface: specification.interface, authorizedKey: nil, rootPasswordHash: nil, mayCreateDisk: true,
          userData: userData)
        try await host.driver.ensureDefined(specification)
      }
      func isSaid() throws -> Bool {
        let folder = host.driver.files(of: machine).folder
        return try MachineFiles.names(in: folder).contains { name in
          let file = "\(folder)/\(name)"
          guard FileManager.default.contents(atPath: file)?.firstRange(of: Data("the-secret".utf8)) != nil else {
            return false
          }
          let mode = try FileManager.default.attributesOfItem(atPath: file)[.posixPermissions] as? Int
          #expect(name == "seed.tar" && mode == 0o600)
          return true
        }
      }
      try await define(secret)
      #expect(try isSaid())
      // As a rebuild without any has it.
      try await define(nil)
      #expect(try !isSaid())
      try await define(secret)
      try await host.driver.ensureAbsent(machine)
      #expect(!MachineFiles.exists(host.driver.files(of: machine).folder))
    }
  }

  @Test("What keeps a rescue system from being run is seen before anything is changed")
  func rescuable() async throws {
    try await PrivateHost.with { host in
      let specification = try await host.specification()
      let files = host.driver.files(of: specification.machine)
      func rescue(_ image: String, _ storageGiB: Int) -> RescueSpecification {
        RescueSpecification(
          imageName: image, imageVersion: specification.imageVersion, storageGiB: storageGiB, authorizedKey: nil,
          rootPasswordHash: nil, mayCreateDisk: true)
      }
      func refusal(_ image: String = PrivateHost.imageName, storageGiB: Int = 4) async -> DriverError? {
        do {
          try await host.driver.requireRescuable(specification.machine, by: rescue(image, storageGiB))
          return nil
        } catch {
          return error as? DriverError
        }
      }
      try await host.driver.ensureDefined(specification)
      #expect(await refusal() == nil)
      #expect(await refusal("nobody-has-this")?.kind == .notFound)
      #expect(await refusal(storageGiB: 0)?.customerReason == "The rescue system cannot be run here.")
      try PrivateFile.write([UInt8](repeating: 7, count: 1 << 16), to: files.disk)
      #expect(await refusal()?.customerReason == "The server's disk cannot be read.")
      try MachineFiles.remove(files.disk)
      #expect(await refusal()?.customerReason == "The server's disk is missing.")
      #expect(!MachineFiles.exists(files.rescueDisk))
    }
  }
}

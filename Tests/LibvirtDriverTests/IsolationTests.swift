import Core
import Foundation
import Testing

@testable import LibvirtDriver

extension MachineLifeTests {
  @Test("A machine runs in QEMU's sandbox, and nobody else can read its files")
  func isolation() async throws {
    try await PrivateHost.with { host in
      let specification = try await host.specification()
      try await host.driver.ensureDefined(specification)
      try await host.driver.start(specification.machine)
      let emulator = try #require(PrivateHost.emulator(of: specification.machine))
      let status = try String(contentsOfFile: "/proc/\(emulator)/status", encoding: .utf8)
      // A filter of system calls that no thread of it can take off again.
      #expect(status.contains("Seccomp:\t2"), "\(status)")
      #expect(status.contains("NoNewPrivs:\t1"), "\(status)")
      let folder = host.driver.files(of: specification.machine).folder
      #expect(try mode(folder) == 0o700)
      #expect(try mode(ServerFiles.root(host.dataDirectory)) == 0o700)
      #expect(try mode("\(host.dataDirectory)/libvirt") == 0o700)
      let files = try FileManager.default.contentsOfDirectory(atPath: folder)
      #expect(Set(files).isSuperset(of: ["disk.qcow2", "seed.tar", "console.log"]))
      for file in files { #expect(try mode("\(folder)/\(file)") == 0o600, "\(file)") }
      #expect(try await host.driver.processes() == [specification.machine: emulator])
    }
  }

  private func mode(_ path: String) throws -> Int? {
    try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int
  }
}

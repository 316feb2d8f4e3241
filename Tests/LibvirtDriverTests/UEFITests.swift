import Core
import Foundation
import TestSupport
import Testing

@testable import LibvirtDriver

@Suite("A machine with UEFI", .enabled(if: FileManager.default.fileExists(atPath: UEFI.code)))
struct UEFITests {
  @Test("Is started by its firmware, which keeps what it knows, and another disk begins anew")
  func firmware() async throws {
    let folder = try ScopedFolder()
    let version = "\(folder.url.path)/uefi/1"
    try FileManager.default.createDirectory(atPath: version, withIntermediateDirectories: true)
    _ = try await Program("qemu-img", ["create", "-q", "-f", "qcow2", "\(version)/disk.qcow2", "64M"]).output()
    try Data(#"{"name": "uefi", "version": "1", "firmware": "uefi", "seed_format": "nocloud"}"#.utf8)
      .write(to: URL(fileURLWithPath: "\(version)/image.json"))
    try FileManager.default.createSymbolicLink(atPath: "\(folder.url.path)/uefi/current", withDestinationPath: "1")
    try await PrivateHost.with(images: folder.url.path) { host in
      let machine = UUID()
      let specification = MachineSpecification(
        machine: machine, label: "uefi", hostname: try #require(Hostname("web")), vcpus: 1, memoryMiB: 256,
        storageGiB: 1, imageName: "uefi", imageVersion: try await host.driver.readyImage("uefi", storageGiB: 1),
        interface: NetworkInterface(address: PrivateHost.unusedAddress()), authorizedKey: host.publicKey,
        rootPasswordHash: nil, mayCreateDisk: true)
      let files = host.driver.files(of: machine)
      try await host.driver.ensureDefined(specification)
      let first = try DiskRecord.read(files.diskRecord)
      try await host.driver.start(machine)
      // There is nothing on the disk that it could start, which it says.
      try await eventually("the firmware speaks", within: .seconds(120)) {
        let said = FileManager.default.contents(atPath: files.console) ?? Data()
        return String(decoding: said, as: UTF8.self).contains("BdsDxe")
      }
      try await host.driver.powerOff(machine)
      let kept = try #require(FileManager.default.contents(atPath: files.firmwareVariables))
      try await host.driver.ensureDefined(specification)
      #expect(FileManager.default.contents(atPath: files.firmwareVariables) == kept)
      #expect(try DiskRecord.read(files.diskRecord) == first)
      try await host.driver.ensureDiskAbsent(machine)
      #expect(!FileManager.default.fileExists(atPath: files.firmwareVariables))
      try await host.driver.ensureDefined(specification)
      #expect(try DiskRecord.read(files.diskRecord)?.instance != first?.instance)
      #expect(FileManager.default.contents(atPath: files.firmwareVariables) != kept)
    }
  }
}

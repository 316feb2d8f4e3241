import Core
import Foundation
import HostImages
import TestSupport
import Testing

@testable import LibvirtDriver

/// `VPSD_STOCK_IMAGE` is a disk of a system with cloud-init, as Tests/Images/build makes one. A boot takes minutes without KVM:
/// these are those that `StockSystemTests` does not do.
@Suite(
  "A system as others publish it", .serialized,
  .enabled(
    if: ["VPSD_STOCK_IMAGE", "VPSD_LONG_TESTS"].allSatisfy { ProcessInfo.processInfo.environment[$0] != nil }))
struct StockImageTests {
  private static let password = "correct horse battery"

  @Test(
    "Boots from its image, lets in by key or by password, and has its name and the whole disk",
    arguments: [(ImageProperties.Firmware.bios, false), (.uefi, true)])
  func login(firmware: ImageProperties.Firmware, byKey: Bool) async throws {
    let folder = try ScopedFolder()
    let images = ImageStore(directory: folder.url.path)
    var source = ImageSource()
    source.file = ProcessInfo.processInfo.environment["VPSD_STOCK_IMAGE"]
    let properties = ImageProperties(
      seedFormat: .nocloud, defaultUser: "root", hasGuestAgent: false, firmware: firmware, architecture: .amd64)
    let added = try ImageAddition(
      store: images, name: "stock", source: source, properties: properties, date: "20250101"
    ).run()
    let hash = byKey ? nil : try await Program("openssl", ["passwd", "-6", Self.password]).output()
    try await PrivateHost.with(images: images.directory) { host in
      let machine = UUID()
      expectEqual(try await host.driver.readyImage("stock", storageGiB: 5), added.version)
      let specification = MachineSpecification(
        machine: machine, label: "stock", hostname: try #require(Hostname("web.example.com")), vcpus: 2,
        memoryMiB: 1024,
        storageGiB: 5, imageName: "stock", imageVersion: added.version,
        interface: NetworkInterface(address: PrivateHost.unusedAddress()), authorizedKey: byKey ? host.publicKey : nil,
        rootPasswordHash: hash, mayCreateDisk: true)
      try await host.driver.ensureDefined(specification)
      try await host.driver.start(machine)
      try await eventually("the guest's sshd greets", within: .seconds(400), every: .seconds(1)) {
        try await host.driver.readiness(of: machine).hasSSHBanner
      }
      let command = "hostname; hostname -f; df --output=size -BG / | tail -1; cat /proc/sys/kernel/random/boot_id"
      let options = [
        "-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null", "-o", "LogLevel=ERROR", "-o",
        "ConnectTimeout=60", "-p", "\(host.driver.forwardedPorts.ssh)", "root@\(specification.interface.address)",
        command,
      ]
      let said =
        byKey
        ? try await Program("ssh", ["-i", "\(host.dataDirectory)/key", "-o", "BatchMode=yes"] + options).output()
        : try await Program("sshpass", ["-p", Self.password, "ssh", "-o", "PubkeyAuthentication=no"] + options).output()
      let lines = said.split(separator: "\n").map { $0.trimmingCharacters(in: .whitespaces) }
      #expect(lines.prefix(3) == ["web", "web.example.com", "5G"], "\(said)")
      // Without an agent it is the power button that a guest hears.
      try await host.driver.requestShutdown(machine)
      try await eventually("the guest is off", within: .seconds(180), every: .seconds(1)) {
        try await host.driver.power(of: machine) == .off(.guestShutdown)
      }
      let type = try String(contentsOfFile: host.driver.files(of: machine).machineType, encoding: .utf8)
      #expect(MachineType.isPinned(type))
    }
  }
}

import Core
import Foundation
import TestSupport
import Testing

@testable import LibvirtDriver

@Suite("A guest sees the processor that it saw at first")
struct CPUModelTests {
  /// As libvirt 9.0 says it.
  private static let capabilities = """
    <domainCapabilities><cpu>
      <mode name='maximum' supported='yes'><enum name='maximumMigratable'><value>on</value></enum></mode>
      <mode name='host-model' supported='yes'>
        <model fallback='forbid'>EPYC-Rome</model>
        <vendor>AMD</vendor>
        <maxphysaddr mode='passthrough' limit='48'/>
        <feature policy='require' name='x2apic'/>
        <feature policy='disable' name='svme-addr-chk'/>
      </mode>
      <mode name='custom' supported='yes'><model usable='yes' vendor='unknown'>qemu64</model></mode>
    </cpu></domainCapabilities>
    """

  @Test("It is told by its name, with each feature that is otherwise")
  func capabilities() throws {
    let model = try #require(CPUModel(capabilities: Self.capabilities))
    #expect(model == CPUModel(model: "EPYC-Rome", features: ["x2apic": true, "svme-addr-chk": false]))
    let xml = model.markup.rendered
    #expect(xml.contains(#"<cpu mode="custom" match="exact" check="none">"#))
    #expect(xml.contains(#"<model fallback="forbid">EPYC-Rome</model>"#))
    #expect(xml.contains(#"<feature policy="require" name="x2apic"/>"#))
    #expect(xml.contains(#"<feature policy="disable" name="svme-addr-chk"/>"#))
    for other in ["supported='no'", "supported='maybe'"] {
      #expect(CPUModel(capabilities: Self.capabilities.replacing("supported='yes'", with: other)) == nil)
    }
    #expect(CPUModel(model: "EPYC'/><x", features: [:]) == nil)
    #expect(CPUModel(model: "EPYC", features: ["a b": true]) == nil)
  }

  @Test("Whatever the host says later; one that was made before this was known keeps what it has")
  func pinned() async throws {
    let folder = try ScopedFolder()
    let version = "\(folder.url.path)/empty/1"
    try FileManager.default.createDirectory(atPath: version, withIntermediateDirectories: true)
    _ = try await Program("qemu-img", ["create", "-q", "-f", "qcow2", "\(version)/disk.qcow2", "64M"]).output()
    try FileManager.default.createSymbolicLink(atPath: "\(folder.url.path)/empty/current", withDestinationPath: "1")
    try await PrivateHost.with(images: folder.url.path) { host in
      let specification = MachineSpecification(
        machine: UUID(), label: "pinned", hostname: try #require(Hostname("web")), vcpus: 1, memoryMiB: 128,
        storageGiB: 1, imageName: "empty", imageVersion: try await host.driver.readyImage("empty", storageGiB: 1),
        interface: NetworkInterface(address: PrivateHost.unusedAddress()), authorizedKey: host.publicKey,
        rootPasswordHash: nil, mayCreateDisk: true)
      let machine = specification.machine
      let files = host.driver.files(of: machine)
      func definition() async throws -> String {
        try await host.driver.ensureDefined(specification)
        return try await host.driver.onDomain(machine, "describe it") { try $0.definition() }
      }
      let first = try await definition()
      let model = try #require(try CPUModel.read(files.cpuModel))
      #expect(first.contains("<model fallback='forbid'>\(model.model)</model>"))
      for (name, isThere) in model.features {
        #expect(first.contains("<feature policy='\(isThere ? "require" : "disable")' name='\(name)'/>"))
      }
      // QEMU knows all of it by name.
      try await host.driver.start(machine)
      expectEqual(try await host.driver.power(of: machine), .running)
      try await host.driver.powerOff(machine)

      // As if the host had said something else when it was made.
      let other = try #require(CPUModel(model: "qemu64", features: ["aes": true]))
      try other.write(to: files.cpuModel)
      #expect(try await definition().contains("<model fallback='forbid'>qemu64</model>"))
      try await host.driver.ensureDiskAbsent(machine)
      #expect(try await definition().contains("<model fallback='forbid'>qemu64</model>"))
      try Data("{}".utf8).write(to: URL(fileURLWithPath: files.cpuModel))
      await #expect(throws: DriverError.self) { try await definition() }

      try MachineFiles.remove(files.cpuModel)
      let mode = host.driver.accelerator == .kvm ? "host-passthrough" : "maximum"
      for removesDisk in [false, true] {
        if removesDisk { try await host.driver.ensureDiskAbsent(machine) }
        #expect(try await definition().contains("<cpu mode='\(mode)'"))
        #expect(!MachineFiles.exists(files.cpuModel))
      }
    }
  }
}

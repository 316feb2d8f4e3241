import Core
import Foundation
import HostImages
import HostNetwork
import Logging
import PrivateFiles
import TestSupport
import Testing

@testable import LibvirtDriver

@Suite("The definition of a machine")
struct DomainDefinitionTests {
  private static let ports = ForwardedPorts(rules: [.init(host: 2222, guest: 22), .init(host: 80, guest: 80)])

  private func definition(
    accelerator: Accelerator = .tcg, dataDirectory: String = "/data", outbound: OutboundNamespace? = nil,
    daemon: LibvirtDriver.Configuration.Daemon = .own
  ) throws -> DomainDefinition {
    let machine = try #require(UUID(uuidString: "6F9619FF-8B86-D011-B42D-00CF4FC964FF"))
    let mark = MachineMark(
      installation: UUID(), label: "server-7", address: IPv4Address(number: 0x7F50_000B), sshPort: 2222,
      owner: FileOwner(user: 0x7050_000B, group: 108))
    let logger = Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() })
    let network = LoopbackNetwork(
      ports: try PortChoice(for: [22, 80], from: 1, path: "/dev/null/ports", logger: logger, canBind: { _ in true }),
      outbound: outbound, retired: nil, logger: logger)
    return DomainDefinition(
      machine: machine, mark: mark, vcpus: 2, memoryMiB: 1024, accelerator: accelerator,
      files: ServerFiles(dataDirectory: dataDirectory, machine: machine),
      attachment: network.attachment(
        of: NetworkInterface(address: mark.address), hardwareAddress: HardwareAddress("52:cf:4f:c9:64:ff")!,
        ports: Self.ports),
      daemon: daemon)
  }

  @Test("Runs as the server's own user, on files that libvirt leaves alone")
  func owner() throws {
    let xml = try definition().xml.split(separator: "\n").map { $0.trimmingCharacters(in: .whitespaces) }.joined()
    #expect(
      xml.contains(
        #"<seclabel type="static" model="dac" relabel="no"><label>+1884291083:+108</label></seclabel>"#))
  }

  @Test("Has a name of its own among those of other installations in the host's libvirtd")
  func name() throws {
    #expect(try definition().name == "vpsd-server-7")
    let (first, second) = (try definition(daemon: .host), try definition(daemon: .host))
    #expect(first.name.hasPrefix("vpsd-") && first.name.hasSuffix("-server-7"))
    #expect(first.name != second.name)
  }

  @Test("Forwards the ports of the server's own address, and lets the guest go nowhere else")
  func network() throws {
    let xml = try definition().xml
    #expect(xml.contains("restrict=on,hostfwd=tcp:127.80.0.11:2222-:22,hostfwd=tcp:127.80.0.11:80-:80\""))
    #expect(xml.contains("mac=52:cf:4f:c9:64:ff,bus=pcie.0,addr=0x10"))
  }

  @Test("Listens inside the network that leads to the world, where it lets its guest out")
  func outbound() throws {
    let logger = Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() })
    let outbound = OutboundNamespace(directory: "/data/outbound", mayMail: false, logger: logger)
    let xml = try definition(outbound: outbound).xml
    #expect(xml.contains("restrict=off,hostfwd=tcp:240.80.0.11:2222-:22,hostfwd=tcp:240.80.0.11:80-:80\""))
  }

  @Test("Is given other ports, in its network and its mark, and nothing else of it changes")
  func otherPorts() throws {
    let definition = try definition()
    let address = definition.mark.address
    for xml in [definition.xml, definition.xml.replacing("\"", with: "'")] {
      let old = ForwardedPorts(definition: xml, address: address)
      #expect(old == Self.ports)
      let new = ForwardedPorts(rules: [.init(host: 22, guest: 22), .init(host: 8080, guest: 80)])
      let moved = new.replacing(old, in: xml, address: address)
      #expect(ForwardedPorts(definition: moved, address: address) == new)
      #expect(MachineMark(metadata: moved)?.sshPort == 22)
      #expect(old.replacing(new, in: moved, address: address) == xml)
    }
  }

  @Test("Starts by the firmware that its image wants, with variables of its own")
  func firmware() throws {
    var definition = try definition()
    #expect(!definition.xml.contains("pflash"))
    definition.firmware = .uefi
    let xml = definition.xml
    #expect(xml.contains(#"<loader readonly="yes" type="pflash">/usr/share/OVMF/OVMF_CODE_4M.fd</loader>"#))
    #expect(xml.contains("<nvram>/data/servers/6f9619ff-8b86-d011-b42d-00cf4fc964ff/uefi-variables.fd</nvram>"))
  }

  @Test("Stays the board that it was at first")
  func machineType() throws {
    var definition = try definition()
    #expect(definition.xml.contains(#"machine="q35""#))
    definition.machineType = "pc-q35-7.2"
    #expect(definition.xml.contains(#"machine="pc-q35-7.2""#))
    #expect(MachineType.defined(in: "<os><type arch='x86_64' machine='pc-q35-7.2'>hvm</type></os>") == "pc-q35-7.2")
    for other in ["q35", "pc-i440fx-7.2", "pc-q35-7.2' onload='", "pc-q35-\n"] {
      #expect(MachineType.defined(in: "<type machine='\(other)'>") == nil || other.hasPrefix("pc-q35-7.2'"))
      #expect(!MachineType.isPinned(other))
    }
    let folder = try ScopedFolder()
    let path = folder.url.path + "/machine-type"
    #expect(try MachineType.read(path) == nil)
    try PrivateFile.write(Array("pc-q35-7.2".utf8), to: path)
    #expect(try MachineType.read(path) == "pc-q35-7.2")
    try PrivateFile.write(Array("q35".utf8), to: path)
    #expect(throws: DriverError.self) { try MachineType.read(path) }
  }

  @Test("Takes the accelerator that works")
  func accelerator() throws {
    #expect(try definition().xml.contains("<domain type=\"qemu\""))
    #expect(try definition().xml.contains("<tb-cache unit=\"MiB\">128</tb-cache>"))
    let accelerated = try definition(accelerator: .kvm).xml
    #expect(accelerated.contains("<domain type=\"kvm\""))
    #expect(!accelerated.contains("tb-cache"))
  }

  @Test("Has a screen that listens nowhere")
  func screen() throws {
    let xml = try definition().xml.split(separator: "\n").map { $0.trimmingCharacters(in: .whitespaces) }.joined()
    #expect(xml.contains(#"<graphics type="vnc"><listen type="none"/></graphics>"#))
  }

  @Test("Never risks the guest's flushed data")
  func cache() throws {
    #expect(try !definition().xml.contains("unsafe"))
  }

  @Test("Stands up to whatever a path is made of")
  func escaping() async throws {
    let path = "/d'\"<>&\u{1}\n/ü"
    let xml = try definition(dataDirectory: path).xml
    #expect(xml.contains("/d&apos;&quot;&lt;&gt;&amp;\u{FFFD}&#10;/ü/servers"))
    #expect(!xml.contains(path))
  }

  @Test("Carries a mark that reads back as it was written")
  func mark() throws {
    let mark = try definition().mark
    #expect(MachineMark(metadata: mark.markup.rendered) == mark)
    let earlier = "<machine installation='\(mark.installation)' label='a' address='127.80.0.1' ssh-port='22'/>"
    #expect(MachineMark(metadata: earlier)?.owner == .root)
    #expect(MachineMark(metadata: "<machine xmlns=\"urn:other\" label=\"server-7\"/>") == nil)
  }
}

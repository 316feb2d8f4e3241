import Core
import Foundation
import HostNetwork
import HostPrograms
import Logging
import PrivateFiles

/// Every machine has a tap of its own, to which the host routes its addresses. No two machines share a link.
struct RoutedNetwork: MachineNetwork {
  let reconciler: NetworkReconciler
  let dataDirectory: String
  let logger: Logger

  private var settings: HostNetworkSettings { reconciler.settings }

  var sshPort: UInt16 { 22 }
  var enforcesFirewalls: Bool { true }
  var countsTraffic: Bool { true }

  /// A tap that libvirt finds and leaves alone: it is the server's, and not its QEMU's.
  func attachment(of interface: NetworkInterface, hardwareAddress: HardwareAddress) throws -> NetworkAttachment {
    let card = Markup(
      "interface", ["type": "ethernet"],
      [
        Markup("target", ["dev": try routed(interface, hardwareAddress, .disabled).tap, "managed": "no"]),
        Markup("mac", ["address": "\(hardwareAddress)"]),
        Markup("model", ["type": "virtio"]),
        Markup("mtu", ["size": "\(settings.mtu)"]),
        Markup("rom", ["enabled": "no"]),
        DomainDefinition.pciAddress(slot: "0x10"),
      ])
    return NetworkAttachment(sshPort: sshPort, devices: [card])
  }

  func guestNetwork(of interface: NetworkInterface) -> GuestNetwork {
    let network = interface.ipv6Network
    return GuestNetwork(
      ipv4Address: "\(interface.address)/32", ipv4Gateway: HostNetworkSettings.gateway,
      ipv6Address: network.map { "\($0.serverAddress)/\(IPv6Network.prefixLength)" },
      ipv6Gateway: network.map { _ in HostNetworkSettings.gateway6 },
      nameServers: settings.nameServers.map(\.description))
  }

  /// Whether it is none of the host's own.
  func isFree(_ address: IPv4Address) throws -> Bool { !ForwardedPorts.canBind(address, port: 0) }

  func mended(_ definition: String, of mark: MachineMark) throws -> String? { nil }

  // MARK: - Taps

  func define(_ specification: MachineSpecification, hardwareAddress: HardwareAddress, in files: ServerFiles) throws {
    let interface = try routed(specification.interface, hardwareAddress, specification.firewall)
    let earlier = try Self.stored(files)
    if interface == earlier { return }
    try Self.store(interface, files)
    // Of a machine that is there, other addresses and another firewall are in force at once.
    if let earlier {
      if earlier.tap != interface.tap { try reconciler.remove(earlier) }
      try reconciler.apply(interface, among: interfaces)
    }
  }

  func attach(_ files: ServerFiles) throws {
    guard let interface = try Self.stored(files) else { return }
    try reconciler.apply(interface, among: interfaces)
  }

  func release(_ files: ServerFiles) throws {
    guard let interface = try Self.stored(files) else { return }
    // From here on it is nobody's, and if we end now whoever looks next removes it.
    try MachineFiles.remove(files.network)
    try reconciler.remove(interface)
  }

  func apply(_ firewall: Firewall, to files: ServerFiles) throws {
    // What is written down is in force: whoever keeps the network sees to that.
    guard var interface = try Self.stored(files), interface.firewall != firewall else { return }
    interface.firewall = firewall
    try Self.store(interface, files)
    try reconciler.apply(interface, among: interfaces)
  }

  func counters() throws -> [UUID: NetworkCounters] {
    let counters = try reconciler.counters()
    return try stored().compactMapValues { counters[$0.tap] }
  }

  func keep(until stop: StopSignal) { reconciler.keep(interfaces, until: stop) }

  private func routed(
    _ interface: NetworkInterface, _ hardwareAddress: HardwareAddress, _ firewall: Firewall
  ) throws -> RoutedInterface {
    guard interface.address.number >> 24 != 127 else {
      throw DriverError(
        .rejected, "\(interface.address) is an address of the loopback network, which was this host's before")
    }
    return RoutedInterface(
      hardwareAddress: hardwareAddress, addresses: [interface.address],
      ipv6Networks: interface.ipv6Network.map { [$0] } ?? [], firewall: firewall)
  }

  // MARK: - What the servers' folders say

  @Sendable private func interfaces() throws -> [RoutedInterface] { Array(try stored().values) }

  func stored() throws -> [UUID: RoutedInterface] {
    var interfaces: [UUID: RoutedInterface] = [:]
    for machine in try ServerFiles.machines(dataDirectory: dataDirectory) {
      do {
        interfaces[machine] = try Self.stored(ServerFiles(dataDirectory: dataDirectory, machine: machine))
      } catch {
        logger.error("the network of a server cannot be read: \(error)", metadata: ["machine": "\(machine.text)"])
      }
    }
    return interfaces
  }

  private static func stored(_ files: ServerFiles) throws -> RoutedInterface? {
    guard MachineFiles.exists(files.network) else { return nil }
    guard let data = FileManager.default.contents(atPath: files.network) else {
      throw DriverError(.rejected, "\(files.network) cannot be read")
    }
    do {
      return try JSONDecoder().decode(RoutedInterface.self, from: data)
    } catch {
      throw DriverError(.rejected, "\(files.network): \(error)")
    }
  }

  private static func store(_ interface: RoutedInterface, _ files: ServerFiles) throws {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys]
    try PrivateFile.write(try encoder.encode(interface), to: files.network)
  }
}

import Core
import Foundation
import HostNetwork
import HostPrograms
import Logging

/// Every machine has a tap of its own, which either has the machine's addresses routed to it or is a port of a bridge of the
/// host.
struct TapNetwork: MachineNetwork {
  let links: ServerLinks

  init(reconciler: NetworkReconciler, dataDirectory: String, logger: Logger) {
    links = ServerLinks(reconciler: reconciler, root: ServerFiles.root(dataDirectory), logger: logger)
  }

  private var settings: HostNetworkSettings { links.settings }

  var sshPort: UInt16 { 22 }
  var enforcesFirewalls: Bool { true }

  func forwarding(to machine: UUID) -> PortForwarding.Share? { links.forwarding(to: machine) }

  var countsTraffic: Bool { true }

  /// libvirt uses the existing tap and does not manage it: the tap belongs to the server, and outlives its QEMU.
  func attachment(of interface: NetworkInterface, hardwareAddress: HardwareAddress) throws -> NetworkAttachment {
    let tap = Markup("target", ["dev": try RoutedInterface(of: interface, hardwareAddress).tap, "managed": "no"])
    return attachment(hardwareAddress, [tap])
  }

  /// libvirt makes a tap for it, which nothing is routed to and which ends with its QEMU.
  func templateAttachment(_ hardwareAddress: HardwareAddress) -> NetworkAttachment? { attachment(hardwareAddress, []) }

  private func attachment(_ hardwareAddress: HardwareAddress, _ tap: [Markup]) -> NetworkAttachment {
    let card = Markup(
      "interface", ["type": "ethernet"],
      tap + [
        Markup("mac", ["address": "\(hardwareAddress)"]),
        Markup("model", ["type": "virtio"]),
        Markup("mtu", ["size": "\(settings.mtu)"]),
        Markup("rom", ["enabled": "no"]),
        DomainDefinition.pciAddress(slot: "0x10"),
      ])
    return NetworkAttachment(sshPort: sshPort, devices: [card])
  }

  func guestNetwork(of interface: NetworkInterface) -> GuestNetwork { settings.guestNetwork(of: interface) }

  /// Whether the address is none of the host's own.
  func isFree(_ address: ServerAddress) throws -> Bool { try !HostNetworkSettings.isOwn(address) }

  func mended(_ definition: String, of mark: MachineMark) throws -> String? { nil }

  // MARK: - Taps

  func define(_ specification: MachineSpecification, hardwareAddress: HardwareAddress, in files: ServerFiles) throws {
    var interface = try RoutedInterface(of: specification.interface, hardwareAddress)
    interface.firewall = specification.firewall
    interface.allow(specification.allowance)
    try links.define(interface, of: files.machine)
  }

  func attach(_ files: ServerFiles, isOff: Bool) throws { try links.attach(files.machine, isOff: isOff) }

  func release(_ files: ServerFiles) throws { try links.release(files.machine) }

  func apply(_ firewall: Firewall, _ allowance: NetworkAllowance, to files: ServerFiles) throws {
    try links.apply(firewall, allowance, to: files.machine)
  }

  func counters() throws -> [UUID: NetworkCounters] { try links.counters() }

  func keep(until stop: StopSignal) { links.keep(until: stop) }
}

import Core
import Foundation
import HostNetwork
import HostPrograms

/// How the machines of a host are reached, and reach others. Unless noted otherwise, everything here may block.
protocol MachineNetwork: Sendable {
  /// The port of a machine's address that leads to its sshd, for machines that are defined now.
  var sshPort: UInt16 { get }

  /// The ports of a machine's address that do not lead to it, because another program of the host has them. Does not block.
  func lostPorts(at address: IPv4Address) -> [Int]

  /// The ports of the host that lead to a machine. Does not block.
  func forwarding(to machine: UUID) -> PortForwarding.Share?

  /// The network card for the definition of a machine.
  func attachment(of interface: NetworkInterface, hardwareAddress: HardwareAddress) throws -> NetworkAttachment

  /// The network card of a template, which nothing leads to; nil where there can be no templates.
  func templateAttachment(_ hardwareAddress: HardwareAddress) -> NetworkAttachment?

  /// The network settings that its guest gets.
  func guestNetwork(of interface: NetworkInterface) -> GuestNetwork

  /// Whether nothing else on the host holds the address, as far as can be told by trying.
  func isFree(_ address: ServerAddress) throws -> Bool

  /// The definition of a machine that did not start, changed so that it can; nil where its network is not the cause.
  func mended(_ definition: String, of mark: MachineMark) throws -> String?

  /// Whether `mended` is to be asked before a machine starts, because a start does not fail by itself.
  var mustLookBeforeStart: Bool { get }

  /// Whether firewalls of machines are enforced.
  var enforcesFirewalls: Bool { get }

  /// Stores what the host's network needs to know of a machine. For a machine that exists it takes effect at once.
  func define(_ specification: MachineSpecification, hardwareAddress: HardwareAddress, in files: ServerFiles) throws

  /// Ensures that the host's part of a machine's network exists, before the machine starts.
  ///
  /// - Parameter isOff: Whether the machine starts now; traffic is counted from there.
  func attach(_ files: ServerFiles, isOff: Bool) throws

  /// Removes the host's part, once the machine is gone.
  func release(_ files: ServerFiles) throws

  func apply(_ firewall: Firewall, _ allowance: NetworkAllowance, to files: ServerFiles) throws

  /// Whether the host counts the machines' traffic, so that the guests need not be asked.
  var countsTraffic: Bool { get }

  /// The traffic since each machine's last start.
  func counters() throws -> [UUID: NetworkCounters]

  /// Keeps the host's part in its desired state until `stop` is set.
  func keep(until stop: StopSignal)
}

/// Defaults for a network in which the host has no part.
extension MachineNetwork {
  func templateAttachment(_ hardwareAddress: HardwareAddress) -> NetworkAttachment? { nil }
  var mustLookBeforeStart: Bool { false }
  func lostPorts(at address: IPv4Address) -> [Int] { [] }
  func forwarding(to machine: UUID) -> PortForwarding.Share? { nil }
  var enforcesFirewalls: Bool { false }
  func define(_ specification: MachineSpecification, hardwareAddress: HardwareAddress, in files: ServerFiles) throws {}
  func attach(_ files: ServerFiles, isOff: Bool) throws {}
  func release(_ files: ServerFiles) throws {}
  func apply(_ firewall: Firewall, _ allowance: NetworkAllowance, to files: ServerFiles) throws {}
  var countsTraffic: Bool { false }
  func counters() throws -> [UUID: NetworkCounters] { [:] }
  func keep(until stop: StopSignal) {}
}

/// The network card in a machine's definition.
struct NetworkAttachment: Sendable {
  let sshPort: UInt16
  let devices: [Markup]
  /// Arguments for QEMU itself, for what libvirt cannot express.
  let arguments: [String]

  init(sshPort: UInt16, devices: [Markup] = [], arguments: [String] = []) {
    self.sshPort = sshPort
    self.devices = devices
    self.arguments = arguments
  }
}

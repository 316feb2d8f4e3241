import Core
import Foundation
import HostPrograms

/// How the machines of a host are reached, and reach others. Everything here may block.
protocol MachineNetwork: Sendable {
  /// The port of a machine's address that leads to its sshd, of one that is defined now.
  var sshPort: UInt16 { get }

  /// The ports of a machine's address that do not lead to it, because another program of the host has them. Does not block.
  func lostPorts(at address: IPv4Address) -> [Int]

  /// The ports of the host that lead to a machine. Does not block.
  func forwarding(to machine: UUID) -> PortForwarding.Share?

  /// What a machine is defined with from now on.
  func attachment(of interface: NetworkInterface, hardwareAddress: HardwareAddress) throws -> NetworkAttachment

  /// What its guest is told.
  func guestNetwork(of interface: NetworkInterface) -> GuestNetwork

  /// Whether nothing else on the host holds the address, as far as can be told by trying.
  func isFree(_ address: ServerAddress) throws -> Bool

  /// The definition of a machine that did not start, with what lets it start; nil where its network is not why it did not.
  func mended(_ definition: String, of mark: MachineMark) throws -> String?

  /// Whether `mended` is to be asked before a machine starts, because a start does not fail of itself.
  var mustLookBeforeStart: Bool { get }

  /// Whether machines are held to their firewalls.
  var enforcesFirewalls: Bool { get }

  /// Writes down what the host's network has to know of a machine. One that is there has it at once.
  func define(_ specification: MachineSpecification, hardwareAddress: HardwareAddress, in files: ServerFiles) throws

  /// Makes sure that the host's part of a machine's network is there, before it starts.
  ///
  /// - Parameter isOff: Whether the machine starts now; traffic is counted from there.
  func attach(_ files: ServerFiles, isOff: Bool) throws

  /// Removes it, once the machine is gone.
  func release(_ files: ServerFiles) throws

  func apply(_ firewall: Firewall, _ allowance: NetworkAllowance, to files: ServerFiles) throws

  /// Whether the host counts what goes through the machines' cards, so that nobody asks the guests.
  var countsTraffic: Bool { get }

  /// Since each machine's last start.
  func counters() throws -> [UUID: NetworkCounters]

  /// Keeps the host's part what it should be.
  func keep(until stop: StopSignal)
}

/// Of a network that the host has no part in.
extension MachineNetwork {
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

/// What stands in a machine's definition for its network card.
struct NetworkAttachment: Sendable {
  let sshPort: UInt16
  let devices: [Markup]
  /// Of QEMU's own, for what libvirt has no words for.
  let arguments: [String]

  init(sshPort: UInt16, devices: [Markup] = [], arguments: [String] = []) {
    self.sshPort = sshPort
    self.devices = devices
    self.arguments = arguments
  }
}

/// What a guest is told of its network. Addresses have the length of their prefix; there may be none of a family.
struct GuestNetwork: Equatable {
  var ipv4Address: String?
  var ipv4Gateway: String?
  var ipv6Address: String?
  var ipv6Gateway: String?
  var nameServers: [String] = []
  /// Of both families.
  var furtherAddresses: [String] = []
  /// Another number whenever the addresses are others; 0 as long as they are the first.
  var revision: Int64 = 0
}

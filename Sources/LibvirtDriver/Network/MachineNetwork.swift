import Core

/// How the machines of a host are reached, and reach others. Everything here may block.
protocol MachineNetwork: Sendable {
  /// The port of a machine's address that leads to its sshd, of one that is defined now.
  var sshPort: UInt16 { get }

  /// What a machine is defined with from now on.
  func attachment(of interface: NetworkInterface, hardwareAddress: String) throws -> NetworkAttachment

  /// What its guest is told.
  func guestNetwork(of interface: NetworkInterface) -> GuestNetwork

  /// Whether nothing else on the host holds the address, as far as can be told by trying.
  func isFree(_ address: IPv4Address) throws -> Bool

  /// The definition of a machine that did not start, with what lets it start; nil where its network is not why it did not.
  func mended(_ definition: String, of mark: MachineMark) throws -> String?
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
}

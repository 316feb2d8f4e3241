import Core
import Foundation
package import HostNetwork

/// How containers are reached.
package enum ContainerNetwork: Sendable {
  /// These ports of an address of the member's own lead into the container, and nothing leads out.
  case loopback(ports: [Int])
  /// Each has a network card, and its addresses are routed to it. The other end of the card is a link of this machine, which
  /// therefore has to be the member.
  case routed(ServerLinks)
}

extension ContainerNetwork {
  /// Of the names of devices that lead into a container by ports.
  static let devicePrefix = "in-"
  /// The device of the card, and its name in the guest.
  static let card = "eth0"

  static func leadsIn(_ device: String) -> Bool { device.hasPrefix(devicePrefix) || device == card }

  func devices(of specification: MachineSpecification) -> [String: [String: String]] {
    switch self {
    case .loopback(let ports):
      // One process carries all ports of an address, and takes a second to start.
      let list = ports.map(String.init).joined(separator: ",")
      return Dictionary(
        uniqueKeysWithValues: specification.interface.addresses.map { address in
          (
            Self.devicePrefix + address.description.replacing(".", with: "-"),
            [
              "type": "proxy", "bind": "host", "listen": "tcp:\(address):\(list)", "connect": "tcp:127.0.0.1:\(list)",
            ]
          )
        })
    case .routed(let links):
      // Incus makes a pair of links, moves one into the container, and lets the other one be: its name is what the packet
      // filter goes by, before there is such a link.
      return [
        Self.card: [
          "type": "nic", "nictype": "p2p", "name": Self.card, "hwaddr": "\(specification.hardwareAddress)",
          "host_name": RoutedInterface.tap(of: specification.hardwareAddress), "mtu": "\(links.settings.mtu)",
        ]
      ]
    }
  }

  /// What the guest sets up, as lines that the image's templates write into it; empty where there is nothing to.
  func settings(of interface: NetworkInterface) -> String {
    guard case .routed(let links) = self else { return "" }
    return links.settings.guestNetwork(of: interface).settings.map { "\($0.key)=\($0.value)" }.joined(separator: "\n")
  }
}

extension MachineSpecification {
  /// A machine older than the stored addresses has one of its own all the same.
  var hardwareAddress: HardwareAddress {
    let uuid = machine.uuid
    let bytes = [UInt8(0x52), uuid.11, uuid.12, uuid.13, uuid.14, uuid.15]
    return interface.hardwareAddress ?? HardwareAddress(number: bytes.reduce(0) { $0 << 8 | UInt64($1) })
  }
}

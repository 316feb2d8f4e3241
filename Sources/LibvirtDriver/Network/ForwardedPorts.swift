import Core
import Foundation

/// Which port of a server's own address leads to which port of its guest.
package struct ForwardedPorts: Sendable, Equatable {
  package struct Rule: Sendable, Equatable {
    package let host: UInt16
    package let guest: UInt16
  }

  package let rules: [Rule]

  /// The port of a server's address that leads to its sshd.
  package var ssh: UInt16 { rules.first { $0.guest == 22 }?.host ?? 22 }

  init(rules: [Rule]) {
    self.rules = rules
  }

  /// A listener on 0.0.0.0 holds its port on every loopback address, and a port may need a privilege that we lack: then another
  /// port of the address leads to the guest's. It stays, even when the first port is free again: customers know it, and a
  /// program that sometimes holds that port could not start again if servers had taken it.
  static func chosen(
    for guestPorts: [UInt16], from lowestPort: UInt16 = 1, keeping earlier: ForwardedPorts? = nil,
    canBind: (UInt16) -> Bool = { canBind(probeAddress, port: $0) }
  ) throws -> ForwardedPorts {
    var taken: Set<UInt16> = []
    var rules: [Rule] = []
    for guest in guestPorts where !rules.contains(where: { $0.guest == guest }) {
      let host = candidates(for: guest, earlier: earlier?.host(of: guest)).first { port in
        !taken.contains(port) && (port == guest || !guestPorts.contains(port)) && port >= lowestPort && canBind(port)
      }
      guard let host else {
        throw DriverError(
          .exhausted,
          "port \(guest) is taken on every address of this host, and so is each that could lead to the servers' port "
            + "\(guest) instead")
      }
      taken.insert(host)
      rules.append(Rule(host: host, guest: guest))
    }
    return ForwardedPorts(rules: rules)
  }

  private static func candidates(for guest: UInt16, earlier: UInt16?) -> [UInt16] {
    let wellKnown: [UInt16: UInt16] = [22: 2222, 80: 8080, 443: 8443]
    let others = stride(from: 10_000, through: 50_000, by: 10_000).compactMap { UInt16(exactly: Int(guest) + $0) }
    let all = (wellKnown[guest].map { [$0] } ?? []) + others
    return earlier.map { [$0] + ($0 == guest ? all : all.filter { $0 != earlier }) } ?? [guest] + all
  }

  func host(of guest: UInt16) -> UInt16? { rules.first { $0.guest == guest }?.host }

  /// An address that no pool hands out in practice, so that only a listener on all addresses can be in the way.
  static let probeAddress = IPv4Address(number: 0x7FFF_FFFD)

  /// Whether QEMU could listen there now. QEMU sets SO_REUSEADDR, as this does, so lingering connections do not matter.
  static func canBind(_ address: IPv4Address, port: UInt16) -> Bool {
    let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
    guard descriptor >= 0 else { return false }
    defer { close(descriptor) }
    var enabled: Int32 = 1
    setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &enabled, socklen_t(MemoryLayout<Int32>.size))
    return withSocketAddress(address, port: port) { bind(descriptor, $0, $1) == 0 }
  }

  static func withSocketAddress<Result>(
    _ address: IPv4Address, port: UInt16, _ body: (UnsafePointer<sockaddr>, socklen_t) -> Result
  ) -> Result {
    var internet = sockaddr_in()
    internet.sin_family = sa_family_t(AF_INET)
    internet.sin_port = port.bigEndian
    internet.sin_addr.s_addr = address.number.bigEndian
    return withUnsafePointer(to: &internet) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        body($0, socklen_t(MemoryLayout<sockaddr_in>.size))
      }
    }
  }
}

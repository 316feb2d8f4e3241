import Foundation

/// An IPv6 network that a server is given: 64 bits, `2001:db8:10:1::/64`, which it has as a whole, or a single address.
package struct IPv6Network: Hashable, Comparable, Sendable, CustomStringConvertible {
  /// The first 64 bits.
  package let number: UInt64
  /// The last 64 bits of a single address; nil for a whole network.
  package let host: UInt64?

  package init(number: UInt64, host: UInt64? = nil) {
    self.number = number
    self.host = host
  }

  /// Reads the network of 64 bits, or an address in it, `2001:db8:10:1::1`, for the network around it; nil for anything
  /// else.
  package init?(_ text: String) {
    guard let given = IPv6Network(given: text) else { return nil }
    self = given.enclosing
  }

  /// Reads the network, `2001:db8:10:1::/64`, or a single address as such; nil for anything else.
  package init?(given text: String) {
    guard text.isPlain(atMost: 49) else { return nil }
    let parts = text.split(separator: "/", omittingEmptySubsequences: false)
    guard parts.count <= 2, parts.count == 1 || parts[1] == "64" else { return nil }
    var bytes = [UInt8](repeating: 0, count: 16)
    guard inet_pton(AF_INET6, String(parts[0]), &bytes) == 1 else { return nil }
    let halves = [bytes[..<8], bytes[8...]].map { $0.reduce(0) { $0 << 8 | UInt64($1) } }
    guard parts.count == 1 || halves[1] == 0 else { return nil }
    self.init(number: halves[0], host: parts.count == 1 ? halves[1] : nil)
  }

  package var isWhole: Bool { host == nil }
  package var prefixLength: Int { isWhole ? 64 : 128 }

  /// The network of 64 bits itself, or the one around a single address.
  package var enclosing: IPv6Network { IPv6Network(number: number) }

  /// The address that the server itself uses.
  package var serverAddress: String { Self.text(bytes(endingIn: host ?? 1)) }

  package var bytes: [UInt8] { bytes(endingIn: host ?? 0) }

  /// In the kernel's notation; a single address has no prefix length.
  package var description: String { Self.text(bytes) + (isWhole ? "/64" : "") }

  private func bytes(endingIn low: UInt64) -> [UInt8] {
    [number, low].flatMap { half in (0..<8).map { UInt8(truncatingIfNeeded: half >> UInt64(56 - 8 * $0)) } }
  }

  private static func text(_ bytes: [UInt8]) -> String {
    var bytes = bytes
    var text = [CChar](repeating: 0, count: Int(INET6_ADDRSTRLEN))
    guard inet_ntop(AF_INET6, &bytes, &text, socklen_t(text.count)) != nil else { return "" }
    return String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }

  package static func < (left: Self, right: Self) -> Bool {
    (left.number, left.host ?? 0) < (right.number, right.host ?? 0)
  }
}

/// A pool of IPv6 for servers. A network shorter than 64 bits, `2001:db8:10::/56`, gives each server a network of 64
/// bits, but not the first one, where the routers and the host are. A network of 64 bits or more gives single
/// addresses, but not the first one, which belongs to its routers.
package struct IPv6Pool: Hashable, Sendable, CustomStringConvertible {
  package let networks: ClosedRange<IPv6Network>
  package let description: String

  /// Nil unless it is a unicast network of 16 to 127 bits, without host bits.
  package init?(_ text: String) {
    guard text.isPlain(atMost: 49) else { return nil }
    let parts = text.split(separator: "/", omittingEmptySubsequences: false)
    guard parts.count == 2, (2...3).contains(parts[1].utf8.count), let length = Int(parts[1]),
      String(length).utf8.elementsEqual(parts[1].utf8), (16...127).contains(length),
      let first = IPv6Network(given: String(parts[0])), let low = first.host, Self.isUnicast(first)
    else { return nil }
    description = "\(first)/\(length)"
    if length < 64 {
      let beyond = UInt64.max >> UInt64(length)
      guard first.number & beyond == 0, low == 0 else { return nil }
      networks = IPv6Network(number: first.number + 1)...IPv6Network(number: first.number | beyond)
    } else {
      let beyond = UInt64.max >> UInt64(length - 64)
      guard low & beyond == 0 else { return nil }
      networks =
        IPv6Network(number: first.number, host: low + 1)...IPv6Network(number: first.number, host: low | beyond)
    }
  }

  /// Whether each server gets a whole network, and not a single address.
  package var givesNetworks: Bool { networks.lowerBound.isWhole }

  package func contains(_ network: IPv6Network) -> Bool {
    network.isWhole == givesNetworks && networks.contains(network)
  }

  /// What a server would get for this address or network: with a pool of networks, the network around it. Nil if that
  /// is not in the pool.
  package func gift(for network: IPv6Network) -> IPv6Network? {
    let gift = givesNetworks ? network.enclosing : network
    return contains(gift) ? gift : nil
  }

  /// Whether the network is global (2000::/3) or unique local (fc00::/7).
  private static func isUnicast(_ network: IPv6Network) -> Bool {
    network.number >> 61 == 0b001 || isPrivate(network)
  }

  private static func isPrivate(_ network: IPv6Network) -> Bool { network.number >> 57 == 0b1111110 }

  /// Whether its addresses are unique local, and not reachable from the internet.
  package var isPrivate: Bool { Self.isPrivate(networks.lowerBound) }
}

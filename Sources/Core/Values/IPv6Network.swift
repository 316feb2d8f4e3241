import Foundation

/// A network of 64 bits, `2001:db8:10:1::/64`, which one server has whole.
package struct IPv6Network: Hashable, Comparable, Sendable, CustomStringConvertible {
  package static let prefixLength = 64

  /// Its first 64 bits.
  package let number: UInt64

  package init(number: UInt64) {
    self.number = number
  }

  /// Reads an address, `2001:db8:10:1::1`, for the network that it is in, or the network itself; nil for anything else.
  package init?(_ text: String) {
    guard text.isPlain(atMost: 49) else { return nil }
    let parts = text.split(separator: "/", omittingEmptySubsequences: false)
    guard parts.count <= 2, parts.count == 1 || parts[1] == "64" else { return nil }
    var bytes = [UInt8](repeating: 0, count: 16)
    guard inet_pton(AF_INET6, String(parts[0]), &bytes) == 1 else { return nil }
    guard parts.count == 1 || bytes[8...].allSatisfy({ $0 == 0 }) else { return nil }
    number = bytes[..<8].reduce(0) { $0 << 8 | UInt64($1) }
  }

  /// The address that its server itself has.
  package var serverAddress: String { Self.text(bytes(endingIn: 1)) }

  package var bytes: [UInt8] { bytes(endingIn: 0) }

  package var description: String { "\(Self.text(bytes))/\(Self.prefixLength)" }

  private func bytes(endingIn last: UInt8) -> [UInt8] {
    (0..<8).map { UInt8(truncatingIfNeeded: number >> UInt64(56 - 8 * $0)) } + [0, 0, 0, 0, 0, 0, 0, last]
  }

  private static func text(_ bytes: [UInt8]) -> String {
    var bytes = bytes
    var text = [CChar](repeating: 0, count: Int(INET6_ADDRSTRLEN))
    guard inet_ntop(AF_INET6, &bytes, &text, socklen_t(text.count)) != nil else { return "" }
    return String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }

  package static func < (left: Self, right: Self) -> Bool { left.number < right.number }
}

/// The networks that servers are given: those of 64 bits in a shorter one, `2001:db8:10::/56`, but for the first, which routers
/// and the host itself are in.
package struct IPv6Pool: Hashable, Sendable, CustomStringConvertible {
  package let networks: ClosedRange<IPv6Network>
  package let description: String

  /// Nil unless it is a network of unicast addresses, of 16 to 63 bits, without host bits.
  package init?(_ text: String) {
    guard text.isPlain(atMost: 49) else { return nil }
    let parts = text.split(separator: "/", omittingEmptySubsequences: false)
    guard parts.count == 2, parts[1].utf8.count == 2, let length = Int(parts[1]), (16...63).contains(length),
      let first = IPv6Network(String(parts[0]) + "/64"), Self.isUnicast(first)
    else { return nil }
    let beyond = UInt64.max >> UInt64(length)
    guard first.number & beyond == 0 else { return nil }
    networks = IPv6Network(number: first.number + 1)...IPv6Network(number: first.number | beyond)
    description = "\(first.description.dropLast(3))/\(length)"
  }

  /// Global (2000::/3) or of one site (fc00::/7).
  private static func isUnicast(_ network: IPv6Network) -> Bool {
    network.number >> 61 == 0b001 || isPrivate(network)
  }

  private static func isPrivate(_ network: IPv6Network) -> Bool { network.number >> 57 == 0b1111110 }

  /// Whether none of its addresses is the internet's.
  package var isPrivate: Bool { Self.isPrivate(networks.lowerBound) }
}

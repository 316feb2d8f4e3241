import Foundation

/// An IPv4 or IPv6 address. An IPv4-mapped IPv6 address, `::ffff:192.0.2.1`, is the same as the IPv4 address.
package struct IPAddress: Hashable, Sendable, CustomStringConvertible {
  /// The two halves of the IPv6 form.
  fileprivate let high: UInt64
  fileprivate let low: UInt64

  fileprivate init(high: UInt64, low: UInt64) {
    self.high = high
    self.low = low
  }

  /// Reads an address alone, without port, brackets or zone.
  package init?(_ text: some StringProtocol) {
    guard (2...45).contains(text.utf8.count), text.utf8.allSatisfy({ $0 < 128 && $0 > 0 }) else { return nil }
    let text = String(text)
    var bytes = [UInt8](repeating: 0, count: 16)
    if text.utf8.contains(UInt8(ascii: ":")) {
      guard inet_pton(AF_INET6, text, &bytes) == 1 else { return nil }
    } else {
      var address = [UInt8](repeating: 0, count: 4)
      guard inet_pton(AF_INET, text, &address) == 1 else { return nil }
      bytes.replaceSubrange(10..<16, with: [255, 255] + address)
    }
    high = bytes[..<8].reduce(0) { $0 << 8 | UInt64($1) }
    low = bytes[8...].reduce(0) { $0 << 8 | UInt64($1) }
  }

  package init(_ address: IPv4Address) {
    self.init(high: 0, low: 0xFFFF << 32 | UInt64(address.number))
  }

  /// The address that the server itself uses in the IPv6 network that it is given.
  package init(ofServerIn network: IPv6Network) {
    self.init(high: network.number, low: network.host ?? 1)
  }

  package var isIPv4: Bool { high == 0 && low >> 32 == 0xFFFF }

  /// Four bytes for IPv4, sixteen for IPv6.
  package var bytes: [UInt8] {
    let all = [high, low].flatMap { half in (0..<8).map { UInt8(truncatingIfNeeded: half >> UInt64(56 - 8 * $0)) } }
    return isIPv4 ? Array(all.suffix(4)) : all
  }

  /// The name of the address's PTR record, `10.113.0.203.in-addr.arpa`, without a dot at its end.
  package var reverseName: String {
    guard !isIPv4 else { return bytes.reversed().map { String($0) }.joined(separator: ".") + ".in-addr.arpa" }
    let digits = bytes.flatMap { [$0 >> 4, $0 & 15] }
    return digits.reversed().map { String($0, radix: 16) }.joined(separator: ".") + ".ip6.arpa"
  }

  /// The client that limits apply to: an IPv6 client usually has a whole network of 64 bits, which counts as one
  /// client.
  package var client: IPAddress { isIPv4 ? self : IPAddress(high: high, low: 0) }

  package var description: String {
    if isIPv4 { return [24, 16, 8, 0].map { String(low >> UInt64($0) & 255) }.joined(separator: ".") }
    var bytes = [high, low].flatMap { half in (0..<8).map { UInt8(truncatingIfNeeded: half >> UInt64(56 - 8 * $0)) } }
    var text = [CChar](repeating: 0, count: Int(INET6_ADDRSTRLEN))
    guard inet_ntop(AF_INET6, &bytes, &text, socklen_t(text.count)) != nil else { return "" }
    return String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }

  /// Whether bits are set beyond the given prefix length of the IPv6 form.
  fileprivate func hasBits(beyond length: Int) -> Bool {
    high & (length >= 64 ? 0 : UInt64.max >> UInt64(length)) != 0
      || low & (length >= 128 ? 0 : length <= 64 ? .max : UInt64.max >> UInt64(length - 64)) != 0
  }

  fileprivate func differs(from other: IPAddress, withinFirst length: Int) -> Bool {
    let highMask = length >= 64 ? UInt64.max : length == 0 ? 0 : UInt64.max << UInt64(64 - length)
    let lowMask = length <= 64 ? 0 : UInt64.max << UInt64(128 - length)
    return (high ^ other.high) & highMask != 0 || (low ^ other.low) & lowMask != 0
  }
}

/// A network of either family, `10.0.0.0/8` or `2001:db8::/32`; an address without a length is a network of that
/// address alone.
package struct IPNetwork: Hashable, Sendable, CustomStringConvertible {
  private let first: IPAddress
  /// The prefix length in the IPv6 form.
  private let length: Int

  /// Nil if the text is no network, or if bits of the address are set beyond the prefix length.
  package init?(_ text: String) {
    let parts = text.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
    guard let text = parts.first, let address = IPAddress(text) else { return nil }
    // ::ffff:10.0.0.0/104 is 10.0.0.0/8.
    let offset = text.utf8.contains(UInt8(ascii: ":")) ? 0 : 96
    var length = 128
    if parts.count > 1 {
      guard (1...3).contains(parts[1].utf8.count), parts[1].utf8.allSatisfy({ (48...57).contains($0) }),
        let written = Int(parts[1]), written + offset <= 128
      else { return nil }
      length = written + offset
    }
    guard !address.hasBits(beyond: length), !address.isIPv4 || length >= 96 else { return nil }
    first = address
    self.length = length
  }

  package func contains(_ address: IPAddress) -> Bool {
    address.isIPv4 == first.isIPv4 && !address.differs(from: first, withinFirst: length)
  }

  package func contains(_ other: IPNetwork) -> Bool { other.length >= length && contains(other.first) }

  package var isIPv4: Bool { first.isIPv4 }

  /// The prefix length in the network's own family.
  package var prefixLength: Int { isIPv4 ? length - 96 : length }

  package var description: String { "\(first)/\(prefixLength)" }
}

/// The addresses that servers can get: networks and ranges, without reserved addresses. The network address and the
/// broadcast address of each network are left out.
package struct AddressPool: Hashable, Sendable, CustomStringConvertible {
  /// The most networks, ranges and reservations of a pool, counted together.
  static let maximumParts = 100

  /// The ranges of the configuration, including reserved addresses.
  package let configuredRanges: [ClosedRange<IPv4Address>]
  /// The ranges that can be given, ascending and without overlaps.
  package let ranges: [ClosedRange<IPv4Address>]
  /// All addresses of the pool, including the first and last of each network, as networks: `203.0.113.0/26`.
  package let networks: [String]
  package let description: String

  /// Reads a single network, `127.80.0.0/16`, or a single range; nil for anything else: see below.
  package init?(_ text: String) {
    self.init([text])
  }

  /// Reads networks, `203.0.113.0/26`, and ranges, `203.0.113.70-203.0.113.90`, that do not overlap; nil unless at least one
  /// address is left.
  ///
  /// - Parameter reserved: Addresses, networks and ranges that are never given.
  package init?(_ texts: [String], reserved: [String] = []) {
    let parts = texts.compactMap { AddressPart($0) }
    let holes = reserved.compactMap { AddressPart($0, isWhole: true) }
    guard parts.count == texts.count, holes.count == reserved.count, parts.count + holes.count <= Self.maximumParts
    else { return nil }
    let sorted = parts.map(\.range).sorted { $0.lowerBound < $1.lowerBound }
    for (left, right) in zip(sorted, sorted.dropFirst()) where left.upperBound >= right.lowerBound { return nil }
    configuredRanges = sorted
    ranges = holes.reduce(sorted) { ranges, hole in ranges.flatMap { $0.without(hole.range) } }
    let whole = texts.compactMap { AddressPart($0, isWhole: true)?.range }
    networks = holes.reduce(whole) { ranges, hole in ranges.flatMap { $0.without(hole.range) } }.flatMap(\.networks)
    description = (texts + reserved.map { "!\($0)" }).joined(separator: " ")
    if ranges.isEmpty { return nil }
  }

  package var first: IPv4Address { ranges[0].lowerBound }
  package var last: IPv4Address { ranges[ranges.count - 1].upperBound }
  package var isLoopback: Bool {
    ranges.allSatisfy { $0.lowerBound.number >> 24 == 127 && $0.upperBound.number >> 24 == 127 }
  }

  package var hasLoopback: Bool {
    ranges.contains { $0.lowerBound.number >> 24 <= 127 && $0.upperBound.number >> 24 >= 127 }
  }

  package func contains(_ address: IPv4Address) -> Bool { ranges.contains { $0.contains(address) } }
}

/// A network, a range, or one address.
private struct AddressPart {
  let range: ClosedRange<IPv4Address>

  /// - Parameter isWhole: Whether to accept single addresses, too, and to include a network's first and last address.
  init?(_ text: String, isWhole: Bool = false) {
    guard text.isPlain(atMost: 31) else { return nil }
    if let range = Self.network(text, isWhole) ?? Self.range(text) {
      self.range = range
    } else if isWhole, let address = IPv4Address(text) {
      range = address...address
    } else {
      return nil
    }
  }

  private static func network(_ text: String, _ isWhole: Bool) -> ClosedRange<IPv4Address>? {
    let parts = text.split(separator: "/", omittingEmptySubsequences: false)
    guard parts.count == 2, let network = IPv4Address(parts[0]), (1...2).contains(parts[1].utf8.count),
      parts[1].utf8.allSatisfy({ (48...57).contains($0) }), let length = UInt32(parts[1]),
      (8...(isWhole ? 32 : 30)).contains(length)
    else { return nil }
    let hostBits: UInt32 = length == 32 ? 0 : UInt32.max >> length
    guard network.number & hostBits == 0 else { return nil }
    let edge: UInt32 = isWhole ? 0 : 1
    return IPv4Address(number: network.number + edge)...IPv4Address(number: network.number + hostBits - edge)
  }

  private static func range(_ text: String) -> ClosedRange<IPv4Address>? {
    let ends = text.split(separator: "-", omittingEmptySubsequences: false).map { IPv4Address($0) }
    guard ends.count == 2, let first = ends[0], let last = ends[1], first <= last else { return nil }
    return first...last
  }
}

extension ClosedRange<IPv4Address> {
  /// The smallest number of networks that together are this range.
  fileprivate var networks: [String] {
    var networks: [String] = []
    let last = UInt64(upperBound.number)
    var next = UInt64(lowerBound.number)
    while next <= last {
      let aligned = next == 0 ? 32 : next.trailingZeroBitCount
      let fitting = UInt64.bitWidth - 1 - (last - next + 1).leadingZeroBitCount
      let bits = Swift.min(aligned, fitting)
      networks.append("\(IPv4Address(number: UInt32(next)))/\(32 - bits)")
      next += 1 << UInt64(bits)
    }
    return networks
  }

  fileprivate func without(_ hole: ClosedRange) -> [ClosedRange] {
    guard overlaps(hole) else { return [self] }
    var rest: [ClosedRange] = []
    if lowerBound < hole.lowerBound { rest.append(lowerBound...IPv4Address(number: hole.lowerBound.number - 1)) }
    if hole.upperBound < upperBound { rest.append(IPv4Address(number: hole.upperBound.number + 1)...upperBound) }
    return rest
  }
}

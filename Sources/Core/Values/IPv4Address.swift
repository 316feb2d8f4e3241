/// An IPv4 address as a number, so that a pool is a range.
package struct IPv4Address: Hashable, Comparable, Sendable, CustomStringConvertible {
  package let number: UInt32

  package init(number: UInt32) {
    self.number = number
  }

  /// Reads dotted decimal notation, `127.80.0.11`; nil for anything else.
  package init?(_ text: some StringProtocol) {
    guard text.isPlain(atMost: 15) else { return nil }
    let parts = text.split(separator: ".", omittingEmptySubsequences: false)
    guard parts.count == 4 else { return nil }
    var number: UInt32 = 0
    for part in parts {
      guard (1...3).contains(part.utf8.count), part.utf8.allSatisfy({ (48...57).contains($0) }),
        let octet = UInt8(part)
      else { return nil }
      number = number << 8 | UInt32(octet)
    }
    self.number = number
  }

  package var description: String {
    "\(number >> 24).\(number >> 16 & 255).\(number >> 8 & 255).\(number & 255)"
  }

  package static func < (left: Self, right: Self) -> Bool { left.number < right.number }
}

/// The addresses that servers are given, in CIDR notation. The network's own address and its broadcast address are left out.
package struct AddressPool: Hashable, Sendable, CustomStringConvertible {
  package let network: IPv4Address
  package let prefixLength: Int

  /// Reads `127.80.0.0/16`; nil unless the host bits are zero and at least two addresses are usable.
  package init?(_ text: String) {
    let parts = text.split(separator: "/", omittingEmptySubsequences: false)
    guard parts.count == 2, let network = IPv4Address(parts[0]), let length = Int(parts[1]), (8...30).contains(length),
      network.number & (UInt32.max >> UInt32(length)) == 0
    else { return nil }
    self.network = network
    self.prefixLength = length
  }

  package var first: IPv4Address { IPv4Address(number: network.number + 1) }
  package var last: IPv4Address { IPv4Address(number: network.number + (UInt32.max >> UInt32(prefixLength)) - 1) }
  package var isLoopback: Bool { network.number >> 24 == 127 }
  package var description: String { "\(network)/\(prefixLength)" }

  package func contains(_ address: IPv4Address) -> Bool { (first...last).contains(address) }
}

/// From which addresses the servers of each location are given theirs.
package struct AddressPools: Sendable, Equatable {
  package let standard: AddressPool
  private let ofLocations: [String: AddressPool]

  /// - Parameter ofLocations: By the location's code, where it is not the standard one.
  package init(_ standard: AddressPool, ofLocations: [String: AddressPool] = [:]) {
    self.standard = standard
    self.ofLocations = ofLocations
  }

  package subscript(location: String) -> AddressPool { ofLocations[location] ?? standard }
}

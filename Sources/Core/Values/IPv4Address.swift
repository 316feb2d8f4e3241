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

  package var bytes: [UInt8] { [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: number >> $0) } }

  package static func < (left: Self, right: Self) -> Bool { left.number < right.number }
}

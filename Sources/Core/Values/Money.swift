/// An amount in millionths of the account's currency unit. Prices and balances are never floating point.
package struct Money: Hashable, Comparable, Sendable, AdditiveArithmetic {
  package let microunits: Int64

  package init(microunits: Int64) {
    self.microunits = microunits
  }

  package static let zero = Money(microunits: 0)

  package static func + (left: Self, right: Self) -> Self { Self(microunits: left.microunits + right.microunits) }
  package static func - (left: Self, right: Self) -> Self { Self(microunits: left.microunits - right.microunits) }
  package static prefix func - (amount: Self) -> Self { Self(microunits: -amount.microunits) }
  package static func * (left: Self, right: Int64) -> Self { Self(microunits: left.microunits * right) }
  package static func < (left: Self, right: Self) -> Bool { left.microunits < right.microunits }

  /// The amount as a decimal number with at least two decimal places, and more only as needed: `100.00`, `0.005`.
  package var decimal: String {
    let magnitude = microunits.magnitude
    var fraction = String(magnitude % 1_000_000)
    fraction = String(repeating: "0", count: 6 - fraction.count) + fraction
    while fraction.count > 2, fraction.last == "0" { fraction.removeLast() }
    return "\(microunits < 0 ? "-" : "")\(magnitude / 1_000_000).\(fraction)"
  }
}

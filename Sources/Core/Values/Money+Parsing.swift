extension Money {
  /// The largest amount that can be entered, so that the sum over all accounts cannot overflow.
  package static let largestWritten = Money(microunits: 1_000_000_000 * 1_000_000)

  /// Reads a plain decimal number: `5`, `0.10`, `-0.000001`. Nil for anything else, for more than six decimal places,
  /// and beyond the largest amount.
  package init?(decimal text: String) {
    guard text.isPlain(atMost: 32) else { return nil }
    let isNegative = text.first == "-"
    let parts = (isNegative ? text.dropFirst() : text[...]).split(separator: ".", omittingEmptySubsequences: false)
    guard (1...2).contains(parts.count), parts.allSatisfy(\.isNumber), parts[0].utf8.count <= 10
    else { return nil }
    let fraction = parts.count == 2 ? parts[1] : "0"
    guard fraction.utf8.count <= 6, let units = Int64(parts[0]),
      let rest = Int64(fraction + String(repeating: "0", count: 6 - fraction.utf8.count))
    else { return nil }
    let amount = Money(microunits: units * 1_000_000 + rest)
    guard amount <= Self.largestWritten else { return nil }
    self = isNegative ? -amount : amount
  }

  /// With all six decimal places: `0.005000`.
  package var exactDecimal: String {
    let magnitude = microunits.magnitude
    let fraction = String(magnitude % 1_000_000)
    return "\(microunits < 0 ? "-" : "")\(magnitude / 1_000_000)."
      + String(repeating: "0", count: 6 - fraction.count) + fraction
  }
}

extension Substring {
  fileprivate var isNumber: Bool { !isEmpty && utf8.allSatisfy { (48...57).contains($0) } }
}

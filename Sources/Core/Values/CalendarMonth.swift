/// A month of the calendar in UTC: `2025-01`.
package struct CalendarMonth: Hashable, Sendable, CustomStringConvertible {
  package let year: Int
  package let month: Int
  /// When it begins.
  package let start: Timestamp
  /// When the next one begins.
  package let end: Timestamp

  /// Reads a year of four digits and a month of two, such as `2025-01`; nil for anything else.
  package init?(_ text: some StringProtocol) {
    let parts = text.utf8.split(separator: UInt8(ascii: "-"), omittingEmptySubsequences: false)
    guard text.isPlain(atMost: 7), parts.count == 2, let year = Self.number(parts[0], ofDigits: 4),
      let month = Self.number(parts[1], ofDigits: 2)
    else { return nil }
    self.init(year: year, month: month)
  }

  /// The month that contains this time; nil if it is outside of the years 1970 to 9998.
  package init?(_ time: Timestamp) {
    self.init(year: time.calendar.year, month: time.calendar.month)
  }

  private init?(year: Int, month: Int) {
    guard (1970...9998).contains(year), (1...12).contains(month),
      let start = Timestamp(wireFormat: Self.text(year, month) + "-01T00:00:00Z")
    else { return nil }
    let (nextYear, nextMonth) = month == 12 ? (year + 1, 1) : (year, month + 1)
    guard let end = Timestamp(wireFormat: Self.text(nextYear, nextMonth) + "-01T00:00:00Z") else { return nil }
    self.year = year
    self.month = month
    self.start = start
    self.end = end
  }

  package var description: String { Self.text(year, month) }

  /// As one number, `202501`: see `Timestamp.month`.
  package var number: Int { year * 100 + month }

  private static func number(_ digits: some Collection<UInt8>, ofDigits count: Int) -> Int? {
    guard digits.count == count, digits.allSatisfy({ (48...57).contains($0) }) else { return nil }
    return digits.reduce(0) { $0 * 10 + Int($1 - 48) }
  }

  private static func text(_ year: Int, _ month: Int) -> String {
    "\(year)-\(month < 10 ? "0" : "")\(month)"
  }
}

/// A point in time: milliseconds since 1970 in UTC.
package struct Timestamp: Hashable, Comparable, Sendable {
  package let millisecondsSinceEpoch: Int64

  package init(millisecondsSinceEpoch: Int64) {
    self.millisecondsSinceEpoch = millisecondsSinceEpoch
  }

  package static func < (left: Self, right: Self) -> Bool {
    left.millisecondsSinceEpoch < right.millisecondsSinceEpoch
  }

  package static func + (left: Self, right: Duration) -> Self {
    Self(millisecondsSinceEpoch: left.millisecondsSinceEpoch + right.milliseconds)
  }

  package static func - (left: Self, right: Duration) -> Self {
    Self(millisecondsSinceEpoch: left.millisecondsSinceEpoch - right.milliseconds)
  }

  package static func - (left: Self, right: Self) -> Duration {
    .milliseconds(left.millisecondsSinceEpoch - right.millisecondsSinceEpoch)
  }
}

extension Timestamp {
  private static let largestStep = Duration.seconds(3600)

  /// Whether a clock that showed `other` this long ago may show this time now without having been set by more than an
  /// hour.
  package func isPlausible(after elapsed: Duration, since other: Timestamp) -> Bool {
    let step = self - (other + elapsed)
    return step <= Self.largestStep && step >= .zero - Self.largestStep
  }
}

extension Duration {
  package var milliseconds: Int64 {
    components.seconds * 1000 + components.attoseconds / 1_000_000_000_000_000
  }
}

extension Timestamp {
  /// Year, month, day, hour, minute and second in UTC, by the proleptic Gregorian calendar.
  package var calendar: (year: Int, month: Int, day: Int, hour: Int, minute: Int, second: Int) {
    let seconds = Int(millisecondsSinceEpoch.flooredQuotient(by: 1000))
    let days = Int(Int64(seconds).flooredQuotient(by: 86_400))
    let secondOfDay = seconds - days * 86_400
    // Howard Hinnant, "chrono-compatible low-level date algorithms", civil_from_days.
    let shifted = days + 719_468
    let era = Int(Int64(shifted).flooredQuotient(by: 146_097))
    let dayOfEra = shifted - era * 146_097
    let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
    let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
    let monthFromMarch = (5 * dayOfYear + 2) / 153
    let day = dayOfYear - (153 * monthFromMarch + 2) / 5 + 1
    let month = monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9
    let year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
    return (year, month, day, secondOfDay / 3600, secondOfDay / 60 % 60, secondOfDay % 60)
  }

  /// The calendar month as one number, `202601` for January 2026.
  package var month: Int { calendar.year * 100 + calendar.month }
}

extension Int64 {
  fileprivate func flooredQuotient(by divisor: Int64) -> Int64 {
    self >= 0 ? self / divisor : (self - divisor + 1) / divisor
  }
}

extension Timestamp {
  /// UTC in whole seconds, `2025-01-10T14:30:00Z`.
  package var wireFormat: String {
    let time = calendar
    return String(unsafeUninitializedCapacity: 20) { text in
      var end = 0
      func write(_ number: Int, digits: Int, then separator: Unicode.Scalar) {
        var rest = number.magnitude
        for index in (end..<end + digits).reversed() {
          text[index] = UInt8(ascii: "0") + UInt8(rest % 10)
          rest /= 10
        }
        text[end + digits] = UInt8(ascii: separator)
        end += digits + 1
      }
      write(time.year, digits: 4, then: "-")
      write(time.month, digits: 2, then: "-")
      write(time.day, digits: 2, then: "T")
      write(time.hour, digits: 2, then: ":")
      write(time.minute, digits: 2, then: ":")
      write(time.second, digits: 2, then: "Z")
      return end
    }
  }
}

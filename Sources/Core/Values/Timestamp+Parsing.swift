extension Timestamp {
  /// Reads RFC 3339, `2026-01-16T15:30:00.5+02:00`, and what other servers of this API accept, too: seconds may be
  /// missing, a space may replace the T, and a missing offset means UTC. Nil for anything else, for days and hours that
  /// do not exist, and outside of the years 1 to 9999 of UTC.
  package init?(wireFormat text: String) {
    guard text.utf8.count <= 40 else { return nil }
    var text = Characters(text.utf8)
    guard let year = text.number(ofDigits: 4), text.take("-"), let month = text.number(ofDigits: 2), text.take("-"),
      let day = text.number(ofDigits: 2), text.take("Tt "), let hour = text.number(ofDigits: 2), text.take(":"),
      let minute = text.number(ofDigits: 2)
    else { return nil }
    var second = 0
    var milliseconds: Int64 = 0
    if text.take(":") {
      guard let number = text.number(ofDigits: 2) else { return nil }
      second = number
      if text.take(".") {
        guard let fraction = text.milliseconds() else { return nil }
        milliseconds = fraction
      }
    }
    guard let offset = text.offsetSeconds(), text.isAtEnd, hour < 24, minute < 60, second <= 60 else { return nil }
    // A leap second has the number 60. It counts as the second after it, as usual.
    let seconds = Self.days(year: year, month: month, day: day) * 86_400 + Int64(hour * 3600 + minute * 60)
    let begin = Timestamp(millisecondsSinceEpoch: seconds * 1000)
    // A day that does not exist, such as 30 February, gives a different day when it is converted back.
    guard begin.calendar == (year, month, day, hour, minute, 0) else { return nil }
    let time = begin + .seconds(second - offset) + .milliseconds(milliseconds)
    let calendar = time.calendar
    guard (1...9999).contains(calendar.year) else { return nil }
    if second == 60 {
      guard calendar.day == 1, calendar.month == 1 || calendar.month == 7, calendar.hour == 0, calendar.minute == 0
      else { return nil }
    }
    self = time
  }

  /// Howard Hinnant, "chrono-compatible low-level date algorithms", days_from_civil.
  private static func days(year: Int, month: Int, day: Int) -> Int64 {
    let shifted = month <= 2 ? year - 1 : year
    let era = (shifted >= 0 ? shifted : shifted - 399) / 400
    let yearOfEra = shifted - era * 400
    let dayOfYear = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1
    let dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
    return Int64(era * 146_097 + dayOfEra - 719_468)
  }
}

/// The part of a time, in ASCII, that is not read yet.
private struct Characters {
  private var bytes: Substring.UTF8View

  init(_ text: String.UTF8View) {
    bytes = text[...]
  }

  var isAtEnd: Bool { bytes.isEmpty }

  /// Consumes one character if it is one of these; returns whether it did.
  mutating func take(_ characters: String) -> Bool {
    guard let first = bytes.first, characters.utf8.contains(first) else { return false }
    bytes.removeFirst()
    return true
  }

  private mutating func digit() -> Int? {
    guard let first = bytes.first, (48...57).contains(first) else { return nil }
    bytes.removeFirst()
    return Int(first - 48)
  }

  mutating func number(ofDigits count: Int) -> Int? {
    var number = 0
    for _ in 0..<count {
      guard let digit = digit() else { return nil }
      number = number * 10 + digit
    }
    return number
  }

  /// Reads a fraction of a second of any number of digits.
  mutating func milliseconds() -> Int64? {
    guard let first = digit() else { return nil }
    var milliseconds = Int64(first * 100)
    var weight: Int64 = 10
    while let digit = digit() {
      milliseconds += Int64(digit) * weight
      weight /= 10
    }
    return milliseconds
  }

  mutating func offsetSeconds() -> Int? {
    if isAtEnd || take("Zz") { return 0 }
    let isWest = bytes.first == UInt8(ascii: "-")
    guard take("+-"), let hours = number(ofDigits: 2), take(":"), let minutes = number(ofDigits: 2), hours < 24,
      minutes < 60
    else { return nil }
    return (hours * 3600 + minutes * 60) * (isWest ? -1 : 1)
  }
}

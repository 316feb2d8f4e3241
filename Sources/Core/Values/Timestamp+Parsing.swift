extension Timestamp {
  /// Reads `2026-01-16T15:30:00Z`: seconds and their fraction may be missing, an offset such as `+02:00` may stand for the
  /// Z, and none at all means UTC. Nil for anything else, and for days and hours that do not exist.
  package init?(wireFormat text: String) {
    let pattern = /(\d{4})-(\d{2})-(\d{2})[T ](\d{2}):(\d{2})(?::(\d{2})(?:\.(\d{1,6}))?)?(Z|[+-]\d{2}:\d{2})?/
    guard text.utf8.count <= 40, let match = text.wholeMatch(of: pattern)?.output, let year = Int(match.1),
      let month = Int(match.2), let day = Int(match.3), let hour = Int(match.4), let minute = Int(match.5)
    else { return nil }
    let second = match.6.flatMap { Int($0) } ?? 0
    let milliseconds = match.7.flatMap { Int64(($0 + "000").prefix(3)) } ?? 0
    let days = Self.days(year: year, month: month, day: day)
    let seconds = days * 86_400 + Int64(hour * 3600 + minute * 60 + second)
    let time = Timestamp(millisecondsSinceEpoch: seconds * 1000 + milliseconds)
    // The thirtieth of February and its like come out as another day than they went in.
    guard hour < 24, minute < 60, second < 60, time.calendar == (year, month, day, hour, minute, second) else {
      return nil
    }
    self = time - .seconds(Self.offset(match.8 ?? "Z"))
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

  /// In seconds.
  private static func offset(_ text: Substring) -> Int {
    guard text != "Z" else { return 0 }
    let parts = text.dropFirst().split(separator: ":").compactMap { Int($0) }
    let seconds = (parts.first ?? 0) * 3600 + (parts.last ?? 0) * 60
    return text.first == "-" ? -seconds : seconds
  }
}

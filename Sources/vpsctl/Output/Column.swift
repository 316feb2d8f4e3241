import APIClient
import Glibc

/// A column of a table: its heading, and which field it shows in which form.
struct Column: Sendable {
  enum Form: Sendable {
    case plain, time, memory, gigabytes, status
    /// Seconds since 1970, shown as a time.
    case seconds
  }

  let heading: String
  let path: String
  let form: Form

  init(_ heading: String, _ path: String, _ form: Form = .plain) {
    self.heading = heading
    self.path = path
    self.form = form
  }

  func text(of object: JSON) -> String {
    guard let value = object[path: path], !value.isNull else { return "-" }
    switch form {
    case .plain, .status: return Self.text(value)
    // In whole minutes, as in `2025-01-10 14:30`.
    case .time:
      guard let text = value.string, text.utf8.count >= 16 else { return Self.text(value) }
      return text.prefix(16).map { $0 == "T" ? " " : String($0) }.joined().escapedForTerminal
    case .seconds:
      guard let seconds = value.int else { return Self.text(value) }
      return Self.time(seconds)
    case .memory:
      guard let mebibytes = value.int else { return Self.text(value) }
      return mebibytes % 1024 == 0 && mebibytes > 0 ? "\(mebibytes / 1024) GiB" : "\(mebibytes) MiB"
    case .gigabytes: return Self.text(value) + " GB"
    }
  }

  /// As `2025-01-10 14:30`, in UTC.
  private static func time(_ seconds: Int) -> String {
    var (moment, parts) = (time_t(seconds), tm())
    gmtime_r(&moment, &parts)
    func padded(_ number: Int32) -> String { number < 10 ? "0\(number)" : "\(number)" }
    return "\(parts.tm_year + 1900)-\(padded(parts.tm_mon + 1))-\(padded(parts.tm_mday)) "
      + "\(padded(parts.tm_hour)):\(padded(parts.tm_min))"
  }

  /// A value on one line.
  static func text(_ value: JSON) -> String {
    switch value {
    case .string(let text): text.escapedForTerminal
    case .number(let text): text
    case .bool(let value): value ? "yes" : "no"
    case .null: "-"
    case .array(let elements):
      elements.isEmpty ? "-" : elements.map { $0.members == nil ? text($0) : $0.text }.joined(separator: ", ")
    case .object: value.text
    }
  }

  /// A column for every field of an object; nested fields have names like `plan.name`.
  static func all(of object: JSON, under prefix: String = "") -> [Column] {
    (object.members ?? []).flatMap { member in
      let path = prefix.isEmpty ? member.name : "\(prefix).\(member.name)"
      if case .object = member.value { return all(of: member.value, under: path) }
      return [Column(path, path)]
    }
  }
}

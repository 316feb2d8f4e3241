import Foundation

/// Where the service copies its state, how often, and how many copies are kept. Without a folder it makes no copies.
struct StateBackupSettings: Sendable, Equatable {
  var directory: URL?
  var everyMinutes = 24 * 60
  var keptCount = 14

  /// Parses `30m`, `6h` or `1d`, from 5 minutes to 366 days; nil for any other text.
  static func minutes(_ text: String) -> Int? {
    let units: [Character: Int] = ["m": 1, "h": 60, "d": 24 * 60]
    guard (2...6).contains(text.utf8.count), let unit = text.last.flatMap({ units[$0] }),
      text.dropLast().utf8.allSatisfy({ (48...57).contains($0) }), let count = Int(text.dropLast())
    else { return nil }
    return (5...366 * 24 * 60).contains(count * unit) ? count * unit : nil
  }

  static func text(minutes: Int) -> String {
    for (unit, minutesInUnit) in [("d", 24 * 60), ("h", 60)] where minutes % minutesInUnit == 0 {
      return "\(minutes / minutesInUnit)\(unit)"
    }
    return "\(minutes)m"
  }
}

extension ConfigurationKey {
  static let stateBackups: [ConfigurationKey] = [
    ConfigurationKey(
      name: "state_backups.directory", defaultText: "none",
      description:
        "The folder, best on another disk or another machine, that the service copies its state to of itself, as vpsd backup-state does",
      rule: "none, or the path of a folder",
      apply: { value, configuration in
        if value.text == "none" {
          configuration.stateBackups.directory = nil
          return true
        }
        guard let directory = value.directory else { return false }
        configuration.stateBackups.directory = directory
        return true
      },
      read: { [$0.stateBackups.directory?.path ?? "none"] }),
    value(
      "state_backups.every", \.stateBackups.everyMinutes, default: "1d", "How often it does",
      rule: "a number of minutes, hours or days from 5m to 366d, such as 30m, 6h or 1d",
      parse: { StateBackupSettings.minutes($0) }, print: { StateBackupSettings.text(minutes: $0) }),
    amount(
      "state_backups.keep", \.stateBackups.keptCount, default: "14", "How many of these copies are kept", 1...1000),
  ]
}

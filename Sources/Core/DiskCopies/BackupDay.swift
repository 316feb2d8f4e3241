/// A day of the backup schedule: from 03:00 UTC to 03:00 UTC of the next day.
package struct BackupDay: Sendable, Equatable {
  package static let length = Duration.seconds(86_400)
  /// How long an automatic backup is kept.
  package static let lifetime = length * 31

  private static let hourMilliseconds: Int64 = 3 * 3_600_000
  private static let dayMilliseconds: Int64 = 86_400_000

  package let begin: Timestamp

  /// The day that a moment belongs to.
  package init(of moment: Timestamp) {
    let shifted = moment.millisecondsSinceEpoch - Self.hourMilliseconds
    let remainder = shifted % Self.dayMilliseconds
    let start = shifted - (remainder < 0 ? remainder + Self.dayMilliseconds : remainder)
    begin = Timestamp(millisecondsSinceEpoch: start + Self.hourMilliseconds)
  }

  package var end: Timestamp { begin + Self.length }
}

/// How far the backups of a day have come.
package struct BackupProgress: Sendable, Equatable {
  /// The servers whose backup was begun just now.
  package let begun: [ID<Server>]
  /// How many servers are still waiting for their backup.
  package let waitingCount: Int

  package init(begun: [ID<Server>], waitingCount: Int) {
    self.begun = begun
    self.waitingCount = waitingCount
  }
}

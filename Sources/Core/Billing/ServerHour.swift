/// One hour of a server, counted from its creation. Each hour is paid for once.
package struct ServerHour: Sendable, Equatable {
  package static let length = Duration.seconds(3600)

  package let beganAt: Timestamp
  /// Zero for the first hour. Nil for a charge in addition to the hour's own.
  package let number: Int64?

  package init(beganAt: Timestamp, number: Int64?) {
    self.beganAt = beganAt
    self.number = number
  }

  /// The server's hour that `now` is in; the first one if the clock was set back to before the creation.
  package static func running(at now: Timestamp, since createdAt: Timestamp) -> ServerHour {
    let number = max(0, (now - createdAt).milliseconds / length.milliseconds)
    return ServerHour(beganAt: createdAt + length * Int(number), number: number)
  }
}

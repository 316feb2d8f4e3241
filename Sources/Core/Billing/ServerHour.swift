/// One hour of a server. Hours count from its create, and each of them is paid for once.
package struct ServerHour: Sendable, Equatable {
  package static let length = Duration.seconds(3600)

  package let beganAt: Timestamp
  /// Zero for the first one. None for what is paid beside the hour itself.
  package let number: Int64?

  package init(beganAt: Timestamp, number: Int64?) {
    self.beganAt = beganAt
    self.number = number
  }

  /// The hour of a server that runs at this moment; the first one where the clock was set back to before that.
  package static func running(at now: Timestamp, since createdAt: Timestamp) -> ServerHour {
    let number = max(0, (now - createdAt).milliseconds / length.milliseconds)
    return ServerHour(beganAt: createdAt + length * Int(number), number: number)
  }
}

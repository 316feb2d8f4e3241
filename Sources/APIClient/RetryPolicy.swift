/// What happens when a connection is lost in the middle of a request. A POST has a key by which the service knows it again,
/// and so nothing is made twice; every other request may come twice anyway.
public struct RetryPolicy: Sendable {
  /// Before each further try.
  public var delays: [Duration]
  /// So long the service may say to stay away (429) for that to be waited for.
  public var maximumThrottleSeconds: Int
  /// So long in all a service that has no room now, or cannot (503), is asked again, each time when it says.
  public var unavailable: Duration
  /// Is told each time, with the seconds until the next one.
  public var onUnavailable: (@Sendable (APIError, Int) -> Void)?
  /// So long a stream of events tries to go on, since the service last said anything.
  public var reconnecting: Duration

  public init(
    delays: [Duration], maximumThrottleSeconds: Int, unavailable: Duration = .zero,
    reconnecting: Duration = .seconds(60)
  ) {
    self.unavailable = unavailable
    self.delays = delays
    self.reconnecting = reconnecting
    self.maximumThrottleSeconds = maximumThrottleSeconds
  }

  /// A service that restarts is back in that time.
  public static let standard = RetryPolicy(
    delays: [.milliseconds(100), .milliseconds(300), .seconds(1), .seconds(2), .seconds(4), .seconds(8)],
    maximumThrottleSeconds: 20, unavailable: .seconds(20))
  public static let never = RetryPolicy(delays: [], maximumThrottleSeconds: 0)
}

/// What happens when a connection is lost in the middle of a request. A POST has a key by which the service knows it again,
/// and so nothing is made twice; every other request may come twice anyway.
public struct RetryPolicy: Sendable {
  /// Before each further try.
  public var delays: [Duration]
  /// So long the service may say to stay away (429) for that to be waited for.
  public var maximumThrottleSeconds: Int
  /// So long in all a service that has no room now, or cannot (503), is asked again, each time when it says.
  public var unavailable: Duration
  /// In place of that, where several requests share a time.
  public var unavailableUntil: ContinuousClock.Instant?
  /// Is told whenever the service is left alone until it wants to be asked again, and when it is.
  public var onPause: (@Sendable (Pause) -> Void)?
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

  /// A request that the service does not take now.
  public enum Pause: Sendable {
    /// - Parameter isNothingDone: Whether the request has changed nothing for certain: the answer to none of its tries was lost.
    case begins(APIError, method: String, seconds: Int, isNothingDone: Bool)
    case ends
  }
}

/// When requests are sent again. A POST has an idempotency key, so that nothing is made twice; every other request can
/// safely be repeated.
public struct RetryPolicy: Sendable {
  /// The delays before each further attempt, after an answer was lost.
  public var delays: [Duration]
  /// The longest delay that the service may ask for with 429 for the request to be sent again.
  public var maximumThrottleSeconds: Int
  /// How long in total a request is sent again that is answered with 503, each time after the delay that the service
  /// asks for.
  public var unavailable: Duration
  /// The end of that time, where several requests share it; used instead of `unavailable`.
  public var unavailableUntil: ContinuousClock.Instant?
  /// Called when a delay that the service has asked for begins, and when it ends.
  public var onPause: (@Sendable (Pause) -> Void)?
  /// How long a stream of events tries to reconnect after the service was last heard from.
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

  /// Waits long enough for a service that restarts.
  public static let standard = RetryPolicy(
    delays: [.milliseconds(100), .milliseconds(300), .seconds(1), .seconds(2), .seconds(4), .seconds(8)],
    maximumThrottleSeconds: 20, unavailable: .seconds(20))
  public static let never = RetryPolicy(delays: [], maximumThrottleSeconds: 0)

  /// A delay before a request is sent again that the service does not accept now.
  public enum Pause: Sendable {
    /// - Parameter isNothingDone: Whether the request has certainly changed nothing, because none of its answers was
    ///   lost.
    case begins(APIError, method: String, seconds: Int, isNothingDone: Bool)
    case ends
  }
}

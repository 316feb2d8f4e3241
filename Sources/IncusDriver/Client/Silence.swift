import NIOConcurrencyHelpers
import NIOCore

/// Something that may take as long as it likes, as long as it goes on and somebody wants it.
struct Silence: Sendable {
  /// How long it may stand still.
  let limit: Duration
  private let isWanted: @Sendable () -> Bool
  private let lastProgress = NIOLockedValueBox(NIODeadline.now())

  init(limit: Duration, whileWanted isWanted: @escaping @Sendable () -> Bool = { true }) {
    self.limit = limit
    self.isWanted = isWanted
  }

  /// It has gone on.
  func end() { lastProgress.withLockedValue { $0 = .now() } }

  /// Why nobody waits any longer; nil while somebody does.
  var failure: (any Error)? {
    if !isWanted() { return CancellationError() }
    let stillness = NIODeadline.now() - lastProgress.withLockedValue { $0 }
    return stillness > TimeAmount(limit) ? IncusError.noAnswer(within: limit) : nil
  }

  func throwIfOver() throws {
    if let failure { throw failure }
  }

  /// Looks again and again, until it is told to stop.
  func watch(on loop: any EventLoop, _ report: @escaping @Sendable (any Error) -> Void) -> @Sendable () -> Void {
    let interval = TimeAmount(min(limit / 4, .seconds(1)))
    let task = loop.scheduleRepeatedTask(initialDelay: interval, delay: interval) { task in
      guard let failure else { return }
      task.cancel()
      report(failure)
    }
    return { task.cancel() }
  }
}

/// How long one request and its reply may take.
enum ExchangeLimit: Sendable {
  /// From the first packet to the last.
  case total(Duration)
  case silence(Silence)

  var duration: Duration {
    switch self {
    case .total(let duration): duration
    case .silence(let silence): silence.limit
    }
  }

  /// - Returns: What ends the watch.
  func watch(on loop: any EventLoop, _ report: @escaping @Sendable (any Error) -> Void) -> @Sendable () -> Void {
    switch self {
    case .total(let duration):
      let timeout = loop.scheduleTask(in: TimeAmount(duration)) { report(IncusError.noAnswer(within: duration)) }
      return { timeout.cancel() }
    case .silence(let silence): return silence.watch(on: loop, report)
    }
  }
}

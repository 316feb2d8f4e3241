import Dispatch
import Glibc
import Synchronization

/// Handles Ctrl-C while a handler is set. The signal source stays after the first use, because a second source for the same
/// signal, made while the first one ends, receives nothing.
enum Interrupts {
  struct Answer {
    fileprivate let number: Int
  }

  private struct State {
    var source: (any DispatchSourceSignal)?
    var handlers: [(number: Int, handler: @Sendable () -> Void)] = []
    var last = 0
  }

  private struct Shared: @unchecked Sendable {
    var state = State()
  }

  private static let shared = Mutex(Shared())

  /// - Parameter handler: Replaces earlier handlers until it is ended.
  static func answer(_ handler: @escaping @Sendable () -> Void) -> Answer {
    shared.withLock { shared in
      if shared.state.source == nil {
        signal(SIGINT, SIG_IGN)
        let source = DispatchSource.makeSignalSource(signal: SIGINT, queue: .global())
        source.setEventHandler { press() }
        source.resume()
        shared.state.source = source
      }
      shared.state.last += 1
      shared.state.handlers.append((shared.state.last, handler))
      return Answer(number: shared.state.last)
    }
  }

  static func end(_ answer: Answer) {
    shared.withLock { shared in shared.state.handlers.removeAll { $0.number == answer.number } }
  }

  private static func press() {
    guard let handler = shared.withLock({ $0.state.handlers.last?.handler }) else { _exit(130) }
    handler()
  }
}

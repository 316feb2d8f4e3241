import Core
import Foundation
import Synchronization

/// Which templates are wanted, and when one may be made: customers' machines go first.
final class TemplateDemand: Sendable {
  private struct State {
    /// Nil until the service has told.
    var shapes: [MachineShape]?
    var lastStart: Instant?
    var making: Task<Void, Never>?
    /// Those that could not be made.
    var postponed: [MachineShape: Postponement] = [:]

    func isQuiet(at now: Instant) -> Bool { lastStart.map { now - $0 >= TemplateDemand.quiet } ?? true }
  }

  private struct Postponement {
    let until: Instant
    let pause: Duration
  }

  private let state = Mutex(State())

  /// No template is made for this long after a machine has started.
  private static let quiet = Duration.seconds(60)
  private static let pauseAfterFailure = Duration.seconds(600)
  private static let pauseAfterWant = Duration.seconds(60)

  /// Each shape once, the smallest first.
  func want(_ shapes: [MachineShape]) {
    let sorted = Set(shapes).sorted()
    state.withLock { $0.shapes = sorted }
  }

  var shapes: [MachineShape]? { state.withLock { $0.shapes } }

  /// A customer's machine starts now: a template that is being made is given up.
  func noteStart(at now: Instant) {
    state.withLock { state in
      state.lastStart = now
      state.making?.cancel()
    }
  }

  func isQuiet(at now: Instant) -> Bool { state.withLock { $0.isQuiet(at: now) } }

  func mayTry(_ shape: MachineShape, at now: Instant) -> Bool {
    state.withLock { $0.postponed[shape].map { now >= $0.until } ?? true }
  }

  /// - Parameter isForWant: Whether the host had no room for it. There is a look for room before the next try, which comes sooner
  ///   than after other failures at first, and later each time.
  func noteFailure(of shape: MachineShape, isForWant: Bool, at now: Instant) {
    state.withLock { state in
      let doubled = (state.postponed[shape]?.pause ?? .zero) * 2
      let pause = isForWant ? max(Self.pauseAfterWant, doubled) : Self.pauseAfterFailure
      let bounded = min(pause, Self.pauseAfterFailure)
      state.postponed[shape] = Postponement(until: now + bounded, pause: bounded)
    }
  }

  func noteSuccess(of shape: MachineShape) {
    state.withLock { state in state.postponed[shape] = nil }
  }

  /// Returns when the body has returned. The body is cancelled when a machine starts or the caller is cancelled, and does not
  /// begin where one has started since somebody looked whether it is quiet.
  func make(at now: Instant, _ body: @escaping @Sendable () async -> Void) async {
    let begun = state.withLock { state -> Task<Void, Never>? in
      guard state.isQuiet(at: now) else { return nil }
      // A start that comes now waits for the lock, and then finds what it is to end.
      let task = Task { await body() }
      state.making = task
      return task
    }
    guard let task = begun else { return }
    await withTaskCancellationHandler {
      await task.value
    } onCancel: {
      task.cancel()
    }
    state.withLock { $0.making = nil }
  }
}

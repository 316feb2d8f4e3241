package import Core
import Synchronization

/// Stores notices instead of delivering them; fails on demand.
package final class Mailbox: NoticeReceiver {
  private struct State {
    var letters: [NoticeLetter] = []
    var failure: (any Error)?
    var hook: (@Sendable (NoticeLetter) async -> Void)?
  }

  private let state = Mutex(State())

  package init() {}

  package var letters: [NoticeLetter] { state.withLock { $0.letters } }
  package var kinds: [Notice.Kind] { letters.map(\.notice.kind) }

  package func fail(_ error: (any Error)?) { state.withLock { $0.failure = error } }
  package func beforeEach(_ hook: (@Sendable (NoticeLetter) async -> Void)?) { state.withLock { $0.hook = hook } }

  /// Removes and returns all letters.
  package func empty() -> [NoticeLetter] {
    state.withLock { state in
      defer { state.letters = [] }
      return state.letters
    }
  }

  package func deliver(_ letter: NoticeLetter) async throws {
    if let hook = state.withLock({ $0.hook }) { await hook(letter) }
    try state.withLock { state in
      if let failure = state.failure { throw failure }
      state.letters.append(letter)
    }
  }
}

import Core
import Synchronization
import TestSupport

@testable import Engine
@testable import SQLStore

/// Takes notices, and remembers them; fails on demand.
final class Mailbox: NoticeReceiver {
  private struct State {
    var letters: [NoticeLetter] = []
    var failure: (any Error)?
    var hook: (@Sendable (NoticeLetter) async -> Void)?
  }

  private let state = Mutex(State())

  var letters: [NoticeLetter] { state.withLock { $0.letters } }
  var kinds: [Notice.Kind] { letters.map(\.notice.kind) }

  func fail(_ error: (any Error)?) { state.withLock { $0.failure = error } }
  func beforeEach(_ hook: (@Sendable (NoticeLetter) async -> Void)?) { state.withLock { $0.hook = hook } }

  /// Takes all that is in it out.
  func empty() -> [NoticeLetter] {
    state.withLock { state in
      defer { state.letters = [] }
      return state.letters
    }
  }

  func deliver(_ letter: NoticeLetter) async throws {
    if let hook = state.withLock({ $0.hook }) { await hook(letter) }
    try state.withLock { state in
      if let failure = state.failure { throw failure }
      state.letters.append(letter)
    }
  }
}

extension TestService {
  func sender(to mailbox: Mailbox) -> NoticeSender {
    NoticeSender(store: store, receiver: mailbox, currency: "EUR", clock: clock, logger: .quiet)
  }

  var watch: NoticeWatch { NoticeWatch(store: store, clock: clock, logger: .quiet) }

  func noticeCount() async throws -> Int? {
    try await database.read { database in try database.value(Int.self, "SELECT COUNT(*) FROM notice") }
  }

  func email(of caller: Caller) async throws -> String? { try await store.account(caller.accountID)?.email }
}

package import Core
package import Logging
import Synchronization

/// Delivers the notices that are due: several at a time but only one of each account, so that a slow recipient delays no other
/// account. Attempts and their outcomes are in the store; a notice whose delivery was cut short by the end of the process is
/// delivered again.
package final class NoticeSender: Sendable {
  static let interval = Duration.seconds(1)
  private static let mostAtOnce = 8
  private static let firstPause = Duration.seconds(60)
  private static let longestPause = Duration.seconds(6 * 3600)
  /// With these pauses, about three days pass before the last attempt.
  static let mostAttempts = 20
  private static let kept = Duration.seconds(30 * 86_400)
  private static let forgottenAtOnce = 500
  private static let longestReason = 500
  /// How long what a lost answer of the store has claimed is left alone. Where outcomes can never be written, so long passes
  /// between two deliveries of the same notice.
  static let pauseAfterLoss = Duration.seconds(60)
  /// A link to sign in is not delivered later than this: the person has given up by then, or asked again.
  private static let linkPatience = Duration.seconds(3600)

  private let store: any NoticeStore & SessionStore
  private let receiver: any NoticeReceiver
  private let currency: String
  /// The panel's base URL, without a trailing slash; nil where there is no panel.
  private let panel: String?
  private let clock: any WallClock
  private let logger: Logger
  private let state = Mutex(State())

  private struct State {
    var underWay = 0
    /// When an answer of the store was lost last, which may have left claims that nobody here knows of; nil for never.
    var lostAnswerAt: Instant?
  }

  package init(
    store: any NoticeStore & SessionStore, receiver: any NoticeReceiver, currency: String, panel: String? = nil,
    clock: any WallClock, logger: Logger
  ) {
    self.panel = panel
    self.store = store
    self.receiver = receiver
    self.currency = currency
    self.clock = clock
    self.logger = logger
  }

  /// Runs until cancellation. Only one process may run it: whoever starts it has released the claims of the process before.
  package func run() async {
    await withDiscardingTaskGroup { group in
      while !Task.isCancelled {
        for notice in await claim() { group.addTask { await self.deliver(notice) } }
        try? await clock.sleep(for: Self.interval)
      }
    }
  }

  /// Delivers all due notices, and returns when the last attempt has ended.
  package func pollOnce() async {
    while true {
      let notices = await claim()
      guard !notices.isEmpty else { return }
      await withDiscardingTaskGroup { group in
        for notice in notices { group.addTask { await self.deliver(notice) } }
      }
    }
  }

  private func claim() async -> [NoticeRecord] {
    do {
      _ = try await store.forgetNotices(finishedBefore: clock.now - Self.kept, limit: Self.forgottenAtOnce)
      let (underWay, lostAnswerAt) = state.withLock { ($0.underWay, $0.lostAnswerAt) }
      if let lostAnswerAt, clock.uptime - lostAnswerAt >= Self.pauseAfterLoss {
        // All claims are released at once, so none may be under way.
        guard underWay == 0 else { return [] }
        try await store.releaseNotices()
        state.withLock { $0.lostAnswerAt = nil }
      }
      guard underWay < Self.mostAtOnce else { return [] }
      let notices = try await store.claimNotices(limit: Self.mostAtOnce - underWay, at: clock.now)
      state.withLock { $0.underWay += notices.count }
      return notices
    } catch {
      noteLostAnswer()
      if !Task.isCancelled {
        logger.error("notices could not be read", metadata: ["error": "\(String(reflecting: error))"])
      }
      return []
    }
  }

  private func noteLostAnswer() {
    let now = clock.uptime
    state.withLock { $0.lostAnswerAt = now }
  }

  private func deliver(_ record: NoticeRecord) async {
    defer { state.withLock { $0.underWay -= 1 } }
    let outcome = await attempt(record)
    // In a task of its own, so that cancellation cannot keep the outcome of a delivery from the store.
    await Task {
      do {
        try await store.finish(record, outcome, at: clock.now)
      } catch {
        noteLostAnswer()
        logger.error(
          "what became of a notice could not be written",
          metadata: ["notice": "\(record.id)", "error": "\(String(reflecting: error))"])
      }
    }.value
  }

  private func attempt(_ record: NoticeRecord) async -> NoticeOutcome {
    do {
      try await receiver.deliver(try await letter(of: record))
      return .delivered
    } catch {
      let failure = error as? UndeliveredNotice
      // The output of a mail program may contain the link, which belongs neither in the log nor in the store.
      let said = record.notice.kind == .loginLink ? "it was not taken over, or not made" : failure?.reason
      let reason = (said ?? String(describing: error)).escaped(atMost: Self.longestReason)
      let isLast = failure?.isPermanent == true || record.attempts >= Self.mostAttempts
      logger.log(
        level: isLast ? .error : .warning, isLast ? "a notice is given up" : "a notice could not be delivered",
        metadata: [
          "notice": "\(record.id)", "account": "\(record.account)", "attempt": "\(record.attempts)",
          "reason": "\(reason)",
        ])
      return isLast
        ? .givenUp(reason: reason)
        : .failed(reason: reason, nextAt: clock.now + Self.pause(after: record.attempts))
    }
  }

  private func letter(of record: NoticeRecord) async throws -> NoticeLetter {
    let text = NoticeText(
      of: record.notice, for: record.email, in: record.language, currency: currency, link: try await link(for: record))
    return NoticeLetter(
      uuid: record.uuid, notice: record.notice, account: record.account, recipient: record.email,
      language: record.language, subject: text.subject, text: text.text, writtenAt: clock.now)
  }

  /// Nil for a notice of another kind. Only the hash of a link is stored, so each attempt makes a new link.
  private func link(for record: NoticeRecord) async throws -> String? {
    guard record.notice.kind == .loginLink else { return nil }
    guard let panel else { throw UndeliveredNotice("there is no panel any more", isPermanent: true) }
    guard clock.now - record.notice.at < Self.linkPatience else {
      throw UndeliveredNotice("nobody waits for it any more", isPermanent: true)
    }
    let mail = NewLoginLink.Mail(notice: record.id, recipient: record.email)
    guard let link = try await Sessions.makeLink(for: record.account, store, in: mail, at: clock.now) else {
      throw UndeliveredNotice("the account was closed, or changed since it was asked for", isPermanent: true)
    }
    return link.url(at: panel)
  }

  /// Doubles with each attempt, up to `longestPause`.
  static func pause(after attempts: Int) -> Duration {
    attempts > 10 ? longestPause : min(firstPause * (1 << (max(attempts, 1) - 1)), longestPause)
  }
}

import Core
import TestSupport

@testable import Engine
@testable import SQLStore

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

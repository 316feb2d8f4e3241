import Core
import Foundation
import GRDB
import TestSupport
import Testing

@testable import SQLStore

@Suite("An operator's lists cost the same, however much there is")
struct OperatorListTests {
  private static let filters: [(filter: ServerListingFilter, index: String)] = {
    func filter(_ change: (inout ServerListingFilter) -> Void) -> ServerListingFilter {
      var filter = ServerListingFilter()
      change(&filter)
      return filter
    }
    return [
      (filter { _ in }, "server_not_erased"),
      (filter { $0.accountID = ID(1) }, "server_of_customer (account_id=? AND id"),
      (filter { $0.status = .error }, "server_by_status (status=? AND id"),
      (filter { $0.hostID = ID(1) }, "server_of_host (host_id=? AND id"),
      (filter { ($0.status, $0.hostID) = (.error, ID(1)) }, "server_by_status (status=? AND id"),
    ]
  }()

  @Test(
    "No page of servers is looked for in rows that no index leads to, and none is sorted",
    .enabled(if: TestDatabase.isSQLite))
  func servers() async throws {
    try await withStore { fixture in
      for (filter, index) in Self.filters {
        for last in [nil, ID<Server>(7)] {
          let plan = try await Self.plan(filter.newest(before: last), fixture.path)
          #expect(plan.contains { $0.contains(index) } && !plan.contains { $0.contains("TEMP") }, "\(plan)")
        }
        let position = "lower(server.name) >= ? AND lower(server.name) < ?"
        let plan = try await Self.plan(filter.named(position, ["a", "b"]), fixture.path)
        let isFew = filter.accountID != nil
        #expect(plan.contains { $0.contains(isFew ? "server_of_customer" : "server_by_name") }, "\(plan)")
        #expect(isFew || !plan.contains { $0.contains("TEMP") }, "\(plan)")
      }
      let tie = ServerListingFilter().named("lower(server.name) = ? AND server.id > ?", ["a", ID<Server>(7)])
      let plan = try await Self.plan(tie, fixture.path)
      #expect(plan.contains { $0.contains("server_by_name (<expr>=? AND id>?)") }, "\(plan)")
    }
  }

  @Test(
    "Behind an account of a hundred thousand an index leads to the next page, and every account is on one page",
    .enabled(if: TestDatabase.isSQLite))
  func manyAccounts() async throws {
    try await withStore { fixture in
      try await fixture.raw.execute(
        """
        WITH RECURSIVE number (n) AS (SELECT 2 UNION ALL SELECT n + 1 FROM number WHERE n < 100000)
        INSERT INTO account (email, email_key, created_at)
        SELECT 'user-' || n || '@example.com', 'user-' || n || '@example.com', 0 FROM number
        """)
      func filter(_ change: (inout AccountFilter) -> Void) -> AccountFilter {
        var filter = AccountFilter()
        change(&filter)
        return filter
      }
      let searches: [(AccountFilter, String)] = [
        (filter { _ in }, "USING INTEGER PRIMARY KEY (rowid"),
        (filter { $0.state = .open }, "USING INTEGER PRIMARY KEY (rowid"),
        (filter { $0.email = "user-7@example.com" }, "account_by_email (email_key=? AND id"),
      ]
      for (filter, index) in searches {
        for isDescending in [false, true] {
          let order = OrderClause([ListOrder(AccountKey.id, isDescending: isDescending)])
          let query = filter.selection.following("SELECT id FROM account", by: order, isDescending: isDescending)
          let plan = try await Self.plan((query, filter.selection.arguments + [ID<Account>(7)]), fixture.path)
          #expect(plan.contains { $0.contains(index) } && !plan.contains { $0.contains("TEMP") }, "\(plan)")
        }
      }
      let store = fixture.store
      var (last, pages): (Int64, Int) = (99_000, 0)
      while true {
        let page = try await store.accountPage(
          AccountFilter(), order: [], page: PageRequest(.after(last, isDescending: false), size: 100))
        #expect(page.totalCount == 100_000 && page.elements.map(\.id.value) == Array(last + 1...last + 100))
        (last, pages) = (last + 100, pages + 1)
        guard page.hasNext else { break }
      }
      #expect(pages == 10)
      let newest = try await store.accountPage(
        AccountFilter(), order: [ListOrder(.id, isDescending: true)],
        page: PageRequest(.after(3, isDescending: true), size: 100))
      #expect(newest.elements.map(\.id.value) == [2, 1] && !newest.hasNext)
      let found = try await store.accountPage(searches[2].0, order: [], page: .first)
      #expect(found.elements.map(\.email) == ["user-7@example.com"] && found.totalCount == 1)
    }
  }

  @Test(
    "Whoever says that they forgot their password has nobody's account looked for in all of them",
    .enabled(if: TestDatabase.isSQLite))
  func forgottenPassword() async throws {
    try await withStore { fixture in
      let query = SQLStore.openAccountByEmail
      let plan: [String] = try await DatabaseQueue(path: fixture.path).read { database in
        try Row.fetchAll(database, sql: "EXPLAIN QUERY PLAN " + query, arguments: ["ann@example.com"])
          .map { $0["detail"] as String? ?? "" }
      }
      #expect(plan.contains { $0.contains("account_by_email (email_key=?)") }, "\(plan)")
    }
  }

  private static func plan(
    _ page: (query: String, arguments: SQLArguments), _ path: String
  ) async throws -> [String] {
    let arguments = StatementArguments((page.arguments + [100]).map { $0?.stored.bound })
    let query = page.query
    return try await DatabaseQueue(path: path).read { database in
      try Row.fetchAll(database, sql: "EXPLAIN QUERY PLAN " + query, arguments: arguments)
        .map { $0["detail"] as String? ?? "" }
    }
  }

  @Test("Names that many servers have, and addresses with capitals, are turned over each once")
  func turning() async throws {
    try await withStore { fixture in
      let store = fixture.store
      for number in 0..<7 {
        _ = try await fixture.create(fixture.newServer(number % 2 == 0 ? "Web" : "web-\(number)"))
        _ = try await store.createAccount(
          email: (number % 2 == 0 ? "Ünal" : "ünal") + "\(number)@example.com", openingCredit: .zero, at: Fixture.now)
      }
      var filter = ServerListingFilter()
      filter.beginning = "wEB"
      var (names, last): ([String], ID<Server>?) = ([], nil)
      while true {
        let page = try await store.serverPage(filter, after: last, limit: 2)
        names += page.map(\.server.name.name)
        guard let next = page.last else { break }
        last = next.server.id
      }
      #expect(names == ["Web", "Web", "Web", "Web", "web-1", "web-3", "web-5"])
      var (emails, lastAccount): ([String], ID<Account>?) = ([], nil)
      while true {
        let page = try await store.accounts(beginning: "ÜNAL", after: lastAccount, limit: 3)
        emails += page.map(\.email)
        guard let next = page.last else { break }
        lastAccount = next.id
      }
      #expect(emails.count == 7 && Set(emails).count == 7 && emails.first == "Ünal0@example.com")
    }
  }
}

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

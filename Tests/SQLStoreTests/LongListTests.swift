import Core
import TestSupport
import Testing

@testable import SQLStore

@Suite("A page of a long list")
struct LongListTests {
  @Test("Has the servers that counting gives, in both directions, and after any server", .timeLimit(.minutes(5)))
  func isRight() async throws {
    try await withStore { fixture in
      let stranger = try await fixture.stranger()
      try await fixture.addServers(2...3500, stranger: stranger)
      let deleted = [1...9, 1024...2047, 3070...3075]
      for ids in deleted { try await fixture.hideServers(ids) }
      for caller in [fixture.caller, stranger] {
        let ids = (1...3500).filter { id in
          !deleted.contains { $0.contains(id) } && (id % 3 == 0) == (caller == stranger)
        }
        for isDescending in [false, true] {
          let ordered = isDescending ? ids.reversed() : ids
          for size in [7, 100] {
            let starts = stride(from: 0, to: ordered.count, by: size)
            let pages = starts.map { Array(ordered[$0..<min($0 + size, ordered.count)]) }
            for (index, page) in pages.enumerated() where size == 100 || index % 11 == 0 {
              let number = PageRequest.Number.number(index + 1)
              #expect(try await fixture.page(number, size, isDescending, of: caller) == .init(page, ids.count, nil))
            }
            #expect(
              try await fixture.page(.last, size, isDescending, of: caller) == .init(pages.last ?? [], ids.count, nil))
          }
          for last in [0, 1, 9, 10, 1023, 1024, 1500, 2047, 2048, 3071, 3072, 3499, 3500, 3501, Int.max] {
            let rest = ordered.filter { isDescending ? $0 < last : $0 > last }
            let after = PageRequest.Number.after(Int64(last), isDescending: isDescending)
            #expect(
              try await fixture.page(after, 10, isDescending, of: caller)
                == .init(Array(rest.prefix(10)), ids.count, ids.count - rest.count), "after \(last)")
          }
        }
      }
    }
  }

  @Test("Is right of servers that were there before blocks were counted", .enabled(if: !TestDatabase.isSQLite))
  func migration() async throws {
    try await withStore { fixture in
      try await fixture.addServers(2...2100)
      let ids = Array(1...2100).filter { $0 != 7 }
      try await fixture.hideServers(7...7)
      try await fixture.raw.execute(
        """
        DROP FUNCTION server_enters_its_block, server_leaves_its_block CASCADE; DROP TABLE server_block;
        DROP INDEX server_of_account_by_name, server_of_account_by_status, server_of_account_by_creation;
        DROP INDEX operation_of_host;
        DELETE FROM schema_migration WHERE number >= 33;
        """)
      let store = try await fixture.reopened()
      let page = try await store.servers(
        of: fixture.caller.accountID, filter: ServerFilter(), order: [], page: PageRequest(.number(21), size: 100))
      #expect(page.elements.map { Int($0.id.value) } == Array(ids[2000...]) && page.totalCount == 2099)
    }
  }

  @Test("Is no more than what is counted, and ends no process, where somebody has damaged the counts")
  func damaged() async throws {
    try await withStore { fixture in
      try await fixture.addServers(2...5)
      try await fixture.raw.execute("UPDATE server_block SET server_count = 3")
      for last in 0...6 {
        let page = try await fixture.page(.after(Int64(last), isDescending: false), 10, false)
        #expect(page.totalCount == 3 && page.ids.count <= 3)
      }
    }
  }

  @Test("Is there, empty, where all servers were deleted, and the one after it is not")
  func empty() async throws {
    try await withStore { fixture in
      let server = try await fixture.activeServer()
      try await fixture.erase(server)
      #expect(try await fixture.page(.number(1), 10, false) == .init([], 0, nil))
      #expect(try await fixture.page(.after(0, isDescending: false), 10, false) == .init([], 0, 0))
      #expect(await failure { _ = try await fixture.page(.number(2), 10, false) }?.code == Failure.invalidPage.code)
      #expect(try await fixture.raw.number("SELECT COUNT(*) FROM server_block") == 0)
      #expect(try await fixture.contradictions() == [])
    }
  }

  @Test("Costs the same of 20,000 servers as of 1,000, wherever it is", .enabled(if: TestDatabase.isSQLite))
  func cost() async throws {
    let few = try await Self.steps(servers: 1000)
    let many = try await Self.steps(servers: 20_000)
    for (place, steps) in many {
      let before = try #require(few[place])
      // Twenty blocks in place of one take some steps each; 19,000 servers would take that many at least.
      #expect(steps < before + 2000, "\(place), with \(before) steps before")
    }
  }

  private static let orders: [ListOrder<ServerKey>] = [.id, .name, .status, .createdAt].flatMap {
    [ListOrder($0), ListOrder($0, isDescending: true)]
  }

  /// How many instructions of SQLite a page takes.
  private static func steps(servers count: Int) async throws -> [String: Int] {
    var steps: [String: Int] = [:]
    try await withStore { fixture in
      try await fixture.addServers(2...count)
      let database = try CountingDatabase(path: fixture.path)
      let store = SQLStore(database: database, tariff: Tariff())
      func note(_ place: String, _ order: ListOrder<ServerKey>, _ number: PageRequest.Number) async throws {
        let before = database.count
        _ = try await store.servers(
          of: fixture.caller.accountID, filter: ServerFilter(), order: [order], page: PageRequest(number, size: 100))
        steps[place] = database.count - before
      }
      for order in orders {
        let name = (order.isDescending ? "-" : "") + order.key.rawValue
        try await note("the first by \(name)", order, .number(1))
        guard order.key == .id else { continue }
        try await note("the middle by \(name)", order, .number(count / 200))
        try await note("the last by \(name)", order, .last)
        try await note("after one by \(name)", order, .after(Int64(count / 2), isDescending: order.isDescending))
      }
    }
    return steps
  }
}

/// What is compared of a page.
private struct Shown: Equatable {
  let ids: [Int]
  let totalCount: Int
  let skipped: Int?

  init(_ ids: [Int], _ totalCount: Int, _ skipped: Int?) {
    (self.ids, self.totalCount, self.skipped) = (ids, totalCount, skipped)
  }
}

extension Fixture {
  fileprivate func page(
    _ number: PageRequest.Number, _ size: Int, _ isDescending: Bool, of caller: Caller? = nil
  ) async throws -> Shown {
    let page = try await store.servers(
      of: (caller ?? self.caller).accountID, filter: ServerFilter(),
      order: [ListOrder(.id, isDescending: isDescending)], page: PageRequest(number, size: size))
    return Shown(page.elements.map { Int($0.id.value) }, page.totalCount, page.skipped)
  }

  /// Copies of a server, with these ids, of which every third one is the stranger's.
  fileprivate func addServers(_ ids: ClosedRange<Int>, stranger: Caller? = nil) async throws {
    _ = try await create()
    let columns = try await raw.text(
      TestDatabase.isSQLite
        ? "SELECT name FROM pragma_table_info('server')"
        : "SELECT column_name FROM information_schema.columns WHERE table_name = 'server' AND table_schema = 'public'")
    let other = (stranger ?? caller).accountID.value
    let values = columns.map { column in
      switch column {
      case "id": "n"
      case "uuid": "'00000000-0000-4000-8000-' || CAST(100000000000 + n AS TEXT)"
      case "account_id": "CASE WHEN n % 3 = 0 THEN \(other) ELSE account_id END"
      case "name": "'web-' || CAST(n % 10 AS TEXT)"
      case "hardware_address": "NULL"
      default: column
      }
    }
    try await raw.execute(
      """
      INSERT INTO server (\(columns.joined(separator: ", ")))
      WITH RECURSIVE number (n) AS (SELECT \(ids.lowerBound) UNION ALL SELECT n + 1 FROM number WHERE n < \(ids.upperBound))
      SELECT \(values.joined(separator: ", ")) FROM server, number WHERE server.id = 1
      """)
  }

  fileprivate func hideServers(_ ids: ClosedRange<Int>) async throws {
    try await raw.execute(
      "UPDATE server SET deleted_at = 1 WHERE id BETWEEN \(ids.lowerBound) AND \(ids.upperBound)")
  }
}

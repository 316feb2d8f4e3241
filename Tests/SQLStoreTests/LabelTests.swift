import Core
import Foundation
import GRDB
import TestSupport
import Testing

@testable import SQLStore

@Suite("Servers are found by their labels")
struct LabelTests {
  private func labels(_ texts: [String: String]) throws -> Labels {
    var values: [LabelKey: LabelValue] = [:]
    for (key, value) in texts { values[try #require(LabelKey(key))] = LabelValue(value) }
    return Labels(values)
  }

  private func names(_ selector: String, _ fixture: Fixture, of caller: Caller? = nil) async throws -> [String] {
    var filter = ServerFilter()
    filter.labels = try LabelSelector(parsing: selector)
    let page = try await fixture.store.servers(
      of: (caller ?? fixture.caller).accountID, filter: filter, order: [], page: .first)
    #expect(page.totalCount == page.elements.count)
    return page.elements.map(\.name.name)
  }

  @Test("Each term selects what it says, and all of them together; nobody sees another's")
  func selection() async throws {
    try await withStore { fixture in
      let all: [(String, [String: String])] = [
        ("a", ["env": "prod", "tier": "web"]), ("b", ["env": "prod", "tier": "db", "old": ""]), ("c", ["env": "dev"]),
        ("d", [:]),
      ]
      for (name, texts) in all {
        let server = try await fixture.create(fixture.newServer(name))
        var change = ServerChange()
        change.labels = try labels(texts)
        _ = try await fixture.store.updateServer(server.id, change, by: fixture.caller, at: Fixture.now)
      }
      let stranger = try await fixture.stranger()
      let other = try await fixture.create(fixture.newServer("z", for: stranger), by: stranger)
      var change = ServerChange()
      change.labels = try labels(["env": "prod"])
      _ = try await fixture.store.updateServer(other.id, change, by: stranger, at: Fixture.now)
      for (selector, names) in [
        ("env", ["a", "b", "c"]), ("!env", ["d"]), ("env=prod", ["a", "b"]), ("env!=prod", ["c", "d"]),
        ("tier in (web,db)", ["a", "b"]), ("tier notin (web,x)", ["b", "c", "d"]), ("env=prod,!old", ["a"]),
        ("old=", ["b"]), ("env=prod,env=dev", []), ("nothing", []),
      ] {
        #expect(try await self.names(selector, fixture) == names, "\(selector)")
      }
      #expect(try await names("env", fixture, of: stranger) == ["z"])
      #expect(try await fixture.contradictions() == [])
      // Those of a server that is gone are gone with it.
      _ = try await fixture.store.requestDeletion(of: ID(1), expecting: nil, by: fixture.caller, at: Fixture.now)
      #expect(try await names("env=prod", fixture) == ["b"])
      #expect(try await fixture.contradictions() == [])
    }
  }

  @Test(
    "Of a hundred thousand servers none is looked at that an index does not lead to",
    .enabled(if: TestDatabase.isSQLite))
  func plan() async throws {
    try await withStore { fixture in
      let selector = try LabelSelector(parsing: "env=prod,!old,tier in (web,db),zone notin (a),x")
      var filter = ServerFilter()
      filter.labels = selector
      let selection = filter.selection(of: fixture.caller.accountID)
      for query in [
        "\(Server.query) WHERE \(selection.condition) ORDER BY server.id LIMIT 100",
        "SELECT COUNT(*) FROM server WHERE \(selection.condition)",
      ] {
        let plan = try await DatabaseQueue(path: fixture.path).read { database in
          try Row.fetchAll(
            database, sql: "EXPLAIN QUERY PLAN " + query,
            arguments: StatementArguments(selection.arguments.map { $0?.stored.bound })
          ).map { $0["detail"] as String? ?? "" }
        }
        #expect(!plan.contains { $0.hasPrefix("SCAN") }, "\(plan)")
        #expect(
          plan.contains { $0.contains("server_label_of_account (account_id=? AND key=? AND value=?)") }, "\(plan)")
      }
    }
  }
}

extension SQLValue {
  var bound: (any DatabaseValueConvertible)? {
    switch self {
    case .null: nil
    case .integer(let number): number
    case .text(let text): text
    case .blob(let bytes): Data(bytes)
    }
  }
}

import Core
import Engine
import Foundation
import HTTPTypes
import TestSupport
import Testing

@testable import SQLStore

@Suite("What clients ask for never becomes a statement of its own")
struct StatementTests {
  private static let kept =
    TestDatabase.isSQLite ? "SELECT sql FROM sqlite_stmt" : "SELECT statement FROM pg_prepared_statements"

  /// What the database itself says of the statements that each connection of the readers keeps.
  private func keptStatements(_ store: SQLStore) async throws -> Set<String> {
    var texts: Set<String> = []
    for _ in 0..<8 {
      texts.formUnion(
        try await store.read { database in
          try database.rows(Self.kept) { row in try row.next(String.self) }
        })
    }
    return texts
  }

  private static let lists: [(path: String, keys: [String])] = [
    ("/servers/", ["id", "name", "hostname", "status", "created_at", "updated_at"]),
    ("/backups/", ["id", "status", "size_mb", "created_at"]),
    ("/snapshots/", ["id", "name", "status", "size_mb", "created_at"]),
    ("/tokens/", ["id", "name", "created_at"]), ("/ssh-keys/", ["id", "name", "created_at"]),
    ("/servers/1/operations/", ["id"]), ("/plans/", ["id", "name"]), ("/locations/", ["id"]),
  ]

  private static func query(_ number: Int, _ keys: [String]) -> String {
    var terms: [String] = []
    for (position, key) in keys.shuffled().enumerated() where position <= number % 4 {
      terms.append(Bool.random() ? key : "-" + key)
    }
    let filters = ["", "&name=n\(number)", "&status=active", "&hostname=h\(number)", "&location=us-west"]
    let status = keys.contains("size_mb") ? "&status=completed" : filters[number % filters.count]
    return "?page_size=\(number % 97 + 1)&page=\(number % 3 + 1)&ordering=\(terms.joined(separator: ","))\(status)"
  }

  @Test("After a thousand different requests the database keeps the statements that it kept before")
  func bounded() async throws {
    let api = try await TestAPI.make()
    _ = try await api.activeServer()
    for _ in 0..<4 { _ = try await api.service.newToken(of: ID(1), permissions: [.everything]) }
    func ask(_ numbers: Range<Int>) async throws {
      for number in numbers {
        for list in Self.lists {
          let reply = try await api.send(.get, list.path + Self.query(number, list.keys))
          #expect([200, 404].contains(reply.status), "\(reply.text)")
        }
      }
    }
    // Each reader meets each order by a single key.
    for list in Self.lists {
      for key in list.keys.flatMap({ [$0, "-" + $0] }) {
        for _ in 0..<4 { _ = try await api.send(.get, "\(list.path)?ordering=\(key)") }
      }
    }
    try await ask(0..<20)
    let early = try await keptStatements(api.service.database)
    try await ask(20..<120)
    let late = try await keptStatements(api.service.database)
    #expect(late == early, "\(late.subtracting(early))")
    #expect(late.count < 100)
  }

  @Test("An ordering of thousands of terms is refused, and one of the same term again and again is that term")
  func ordering() async throws {
    let api = try await TestAPI.make()
    _ = try await api.activeServer()
    for path in ["/servers/", "/backups/", "/tokens/", "/ssh-keys/", "/plans/", "/servers/1/operations/"] {
      func terms(_ count: Int) -> String { Array(repeating: "id", count: count).joined(separator: ",") }
      #expect(try await api.send(.get, "\(path)?ordering=\(terms(2_001))").status == 400)
      #expect(try await api.send(.get, "\(path)?ordering=\(terms(16))").status == 200)
      let refused = try await api.send(.get, "\(path)?ordering=\(terms(17))")
      #expect(refused.status == 400)
      #expect(refused.text == #"{"ordering":["Ensure this field has no more than 16 elements."]}"#)
      #expect(try await api.send(.get, "\(path)?ordering=id,id,-id,id,id,id").status == 200)
      #expect(try await api.send(.get, "\(path)?ordering=,,,,").status == 200)
    }
  }
}

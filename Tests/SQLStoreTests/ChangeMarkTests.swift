import Core
import Foundation
import GRDB
import TestSupport
import Testing

@testable import SQLStore

@Suite("A mark of what was committed")
struct ChangeMarkTests {
  @Test("It is another one after each commit, whoever makes it, and after nothing else")
  func commits() async throws {
    try await withTemporaryFolder { folder in
      let path = folder.appendingPathComponent("database").path
      let store = try SQLStore(path: path)
      let other = try SQLStore(path: path, .asItIs)
      let mark = try #require(store.changeMark)
      var before = try #require(mark())
      for writer in [store, other, store, store, other, other] {
        let now = Timestamp(millisecondsSinceEpoch: 1_768_478_400_000)
        _ = try await writer.createAccount(
          email: "\(UUID().uuidString)@example.com", openingCredit: Money(microunits: 0), at: now)
        let after = try #require(mark())
        #expect(after != before)
        for reader in [store, other] { _ = try await reader.catalogue() }
        #expect(mark() == after)
        before = after
      }
      try other.release()
      try store.release()
      #expect(mark() == nil)
      // Somebody who is not waited for may still come with a write.
      await #expect(throws: (any Error).self) { try await store.setNotices(areWritten: true) }
    }
  }

  @Test(
    "It is read where SQLite counts commits, and asked for where there is no such count",
    arguments: ["WAL", "DELETE"])
  func index(journal: String) async throws {
    try await withTemporaryFolder { folder in
      let path = folder.appendingPathComponent("database").path
      let queue = try DatabaseQueue(path: path)
      try await queue.writeWithoutTransaction { database in
        _ = try String.fetchOne(database, sql: "PRAGMA journal_mode = \(journal)")
        try database.execute(sql: "CREATE TABLE number (value INTEGER)")
      }
      #expect(try (ReadingConnection(path: path, Configuration()).logIndex() != nil) == (journal == "WAL"))
      let mark = try ChangeMark(path: path, Configuration())
      var marks: Set<Int64> = [try #require(mark.value)]
      for number in 1...200 {
        try await queue.writeWithoutTransaction { database in
          if number % 7 == 0 { try database.execute(sql: "PRAGMA wal_checkpoint(TRUNCATE)") }
          try database.execute(sql: "INSERT INTO number VALUES (0)")
        }
        marks.insert(try #require(mark.value))
      }
      #expect(marks.count == 201)
      try mark.close()
      #expect(mark.value == nil)
    }
  }
}

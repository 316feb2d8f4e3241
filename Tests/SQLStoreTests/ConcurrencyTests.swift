import Core
import GRDB
import TestSupport
import Testing

@testable import SQLStore

@Suite struct ConcurrencyTests {
  @Test("Many reads and writes at once all come to an end", .timeLimit(.minutes(10)))
  func noDeadlock() async throws {
    try await withStore { fixture in
      let server = try await fixture.activeServer()
      let account = fixture.caller.accountID
      try await withThrowingTaskGroup(of: Void.self) { group in
        for worker in 0..<32 {
          group.addTask {
            for turn in 0..<25 {
              _ = try await fixture.store.servers(of: account, filter: ServerFilter())
              _ = try await fixture.store.token(hash: TokenHash(hexadecimal: "unknown \(turn)"))
              _ = try await fixture.store.updateServer(
                server.id, ServerChange(name: ServerName("n-\(worker)-\(turn)")), by: fixture.caller, at: Fixture.now)
              try await fixture.store.recordTokenUse([fixture.caller.tokenID: Fixture.now])
            }
          }
        }
        try await group.waitForAll()
      }
      #expect(try await fixture.raw.number("SELECT COUNT(*) FROM audit WHERE action = 'server.update'") == 800)
    }
  }

  @Test("A write that throws leaves nothing of itself, and all of the others that shared its commit")
  func failingWriteAmongOthers() async throws {
    try await withEmptyStore { store, database in
      let raw = RawDatabase(database.location)
      let written = await withTaskGroup(of: Bool.self) { group in
        for number in 0..<300 {
          group.addTask {
            do {
              try await store.write { database in
                try database.run("INSERT INTO setting (key, value) VALUES (?, '')", ["\(number)"])
                if number % 3 == 0 { throw Failure.notFound }
              }
              return true
            } catch {
              return false
            }
          }
        }
        return await group.reduce(into: 0) { count, isWritten in count += isWritten ? 1 : 0 }
      }
      #expect(written == 200)
      let count = try await raw.number("SELECT COUNT(*) FROM setting")
      #expect(count == 200)
      let strays = "SELECT COUNT(*) FROM setting WHERE CAST(key AS BIGINT) % 3 = 0"
      let strayCount = try await raw.number(strays)
      #expect(strayCount == 0)
    }
  }

  @Test("Where the transaction itself is lost every write of it is told, and the next ones go on")
  func lostTransaction() async throws {
    try await withEmptyStore { store, database in
      let raw = RawDatabase(database.location)
      let outcomes = await withTaskGroup(of: Bool.self) { group in
        for number in 0..<50 {
          group.addTask {
            do {
              try await store.write { database in
                try database.run("INSERT INTO setting (key, value) VALUES (?, '')", ["\(number)"])
                if number == 25 {
                  // What SQLite does by itself when the disk is full.
                  try database.run("ROLLBACK")
                  throw Failure.internalError("the disk is full")
                }
              }
              return true
            } catch {
              return false
            }
          }
        }
        return await group.reduce(into: 0) { count, isWritten in count += isWritten ? 1 : 0 }
      }
      #expect(outcomes < 50)
      #expect(try await raw.number("SELECT COUNT(*) FROM setting") == Int64(outcomes))
      let isWritten = try await store.write { database in
        try database.run("INSERT INTO setting (key, value) VALUES ('after', '')") == 1
      }
      #expect(isWritten)
    }
  }

  @Test("A write whose task is cancelled is carried out, and a write after it too")
  func cancellation() async throws {
    try await withStore { fixture in
      let task = Task {
        withUnsafeCurrentTask { $0?.cancel() }
        return try await fixture.create()
      }
      let server = try await task.value
      #expect(try await fixture.reread(server).id == server.id)
      _ = try await fixture.create()
    }
  }

  @Test("A write sees what was acknowledged before it, and so does every read")
  func readYourWrites() async throws {
    try await withStore { fixture in
      for number in 0..<50 {
        let key = try await fixture.store.createSSHKey(
          fixture.key("SHA256:\(number)"), by: fixture.caller, at: Fixture.now)
        #expect(try await fixture.store.sshKey(key.id, of: fixture.caller.accountID) == key)
      }
    }
  }
}

import Core
import Foundation
import TestSupport
import Testing

@Suite("The database's log", .enabled(if: TestDatabase.isSQLite))
struct LogSizeTests {
  @Test("It stays small, however much is written while others read", .timeLimit(.minutes(10)))
  func bounded() async throws {
    try await withStore { fixture in
      let server = try await fixture.activeServer()
      let account = fixture.caller.accountID
      try await withThrowingTaskGroup(of: Void.self) { group in
        for worker in 0..<8 {
          group.addTask {
            for turn in 0..<150 {
              let change = ServerChange(name: ServerName("n-\(worker)-\(turn)"))
              _ = try await fixture.store.updateServer(server.id, change, by: fixture.caller, at: Fixture.now)
              _ = try await fixture.store.servers(of: account, filter: ServerFilter())
            }
          }
        }
        try await group.waitForAll()
      }
      let log = try FileManager.default.attributesOfItem(atPath: fixture.path + "-wal")
      // A thousand pages, after which SQLite begins from the front, and as much again for who wrote meanwhile.
      #expect(try #require(log[.size] as? Int) < 8 << 20)
    }
  }
}

import Core
import Foundation
import SQLStore
import TestSupport
import Testing

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
}

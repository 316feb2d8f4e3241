import Core
import Foundation
import Synchronization
import TestSupport
import Testing

@testable import SQLStore

@Suite("The database is copied while it is in use", .enabled(if: TestDatabase.isSQLite))
struct BackupTests {
  @Test("The copy is whole, private, and can take the place of the original")
  func backup() async throws {
    let service = try await TestService()
    let id = try await service.activeServer()
    let path = service.directory.appendingPathComponent("copy.sqlite").path
    try await service.database.backUp(to: path)
    let mode = try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? NSNumber
    #expect(mode?.intValue == 0o600)
    _ = try await service.database.requestDeletion(of: id, by: service.owner, at: service.clock.now)
    let copy = try SQLStore(path: path)
    #expect(try await copy.contradictions() == [])
    #expect(try await copy.allServers().map(\.id) == [id])
    #expect(try await copy.server(id, of: service.owner.accountID)?.status == .active)
    #expect(try await copy.installationID() == service.database.installationID())
    #expect(try await copy.requestAction(.stop, on: id, by: service.owner, at: service.clock.now) != nil)
  }

  @Test("A file that exists is left as it is")
  func exists() async throws {
    let service = try await TestService()
    let path = service.directory.appendingPathComponent("copy.sqlite").path
    try "precious".write(toFile: path, atomically: false, encoding: .utf8)
    await #expect(throws: UnusableFile.self) { try await service.database.backUp(to: path) }
    #expect(try String(contentsOfFile: path, encoding: .utf8) == "precious")
  }

  @Test("A copy that is made while others write is of one moment")
  func whileWriting() async throws {
    let service = try await TestService()
    let written = Mutex(0)
    let writer = Task {
      while !Task.isCancelled {
        _ = try await service.newCaller()
        written.withLock { $0 += 1 }
      }
    }
    for number in 1...10 {
      // In the middle of its work: for each copy it has written something more.
      #expect(await comesTrue { written.withLock { $0 } >= number })
      let path = service.directory.appendingPathComponent("copy-\(number).sqlite").path
      // Another process would do it: the service and the operator's command each have the file open.
      let other = try SQLStore(path: service.directory.appendingPathComponent("vpsd.sqlite").path)
      try await other.backUp(to: path)
      let copy = try SQLStore(path: path)
      #expect(try await copy.contradictions() == [])
    }
    writer.cancel()
    try await writer.value
  }

  @Test("A copy waits for no write, and no write for a copy", .timeLimit(.minutes(5)))
  func whileWritingItself() async throws {
    let service = try await TestService()
    let path = service.directory.appendingPathComponent("copy.sqlite").path
    let (entries, entered) = AsyncStream.makeStream(of: Void.self)
    let isCopied = DispatchSemaphore(value: 0)
    // Whatever made a write wait for the copy would be with this write, and the copy would wait for its end.
    let writing = Task {
      try await service.database.write { connection in
        try connection.run("DELETE FROM notice")
        entered.yield()
        return isCopied.wait(timeout: .now() + .seconds(120)) == .success
      }
    }
    for await _ in entries { break }
    try await service.database.backUp(to: path)
    isCopied.signal()
    #expect(try await writing.value, "The copy waited for the write.")
    #expect(try await SQLStore(path: path).contradictions() == [])
  }
}

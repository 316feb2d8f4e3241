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

  @Test("The service that makes the copy writes on while it does")
  func ownWriter() async throws {
    let service = try await TestService()
    // So large that it takes longer to copy than a write takes.
    try await service.database.write { connection in
      try connection.runScript(
        """
        CREATE TABLE ballast AS
        WITH RECURSIVE number(value) AS (SELECT 1 UNION ALL SELECT value + 1 FROM number LIMIT 24)
        SELECT value, randomblob(1048576) AS content FROM number
        """)
    }
    var wasMeanwhile = false
    // Where other tests have the processors, a copy may be over before the write is.
    for number in 1...8 where !wasMeanwhile {
      let path = service.directory.appendingPathComponent("copy-\(number).sqlite").path
      let isOver = Mutex(false)
      let copying = Task {
        defer { isOver.withLock { $0 = true } }
        try await service.database.backUp(to: path)
      }
      while !isOver.withLock({ $0 }), Self.sizeBytes(of: path) == 0 { await Task.yield() }
      _ = try await service.database.write { connection in try connection.run("DELETE FROM ballast WHERE value = 0") }
      let written = Self.sizeBytes(of: path)
      try await copying.value
      wasMeanwhile = written < Self.sizeBytes(of: path)
      unlink(path)
    }
    #expect(wasMeanwhile, "Every write waited for the copy.")
  }

  /// None where there is no file yet.
  private static func sizeBytes(of path: String) -> Int {
    var status = stat()
    return stat(path, &status) == 0 ? Int(status.st_size) : 0
  }
}

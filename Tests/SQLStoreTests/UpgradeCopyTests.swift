import Foundation
import GRDB
import TestSupport
import Testing

@testable import SQLStore

@Suite("What a database was before its upgrade is kept", .enabled(if: TestDatabase.isSQLite))
struct UpgradeCopyTests {
  private func copies(in folder: URL) throws -> [String] {
    try FileManager.default.contentsOfDirectory(atPath: folder.path).filter { $0.contains(".before-") }.sorted()
  }

  @Test("The copy is all that was there, private, and a state of that version", arguments: ReleasedDatabase.all)
  func copy(released: ReleasedDatabase) async throws {
    try await withTemporaryFolder { folder in
      let path = folder.path + "/vpsd.sqlite"
      try released.restore(to: path)
      let before = try Contents(of: path)
      let copy = try await SQLStore.keepBeforeUpgrade(path, to: "0.1.0")
      guard released.migration != Schema.migrator.migrations.last else { return #expect(copy == nil) }
      #expect(copy == path + ".before-0.1.0")
      _ = try SQLStore(path: path)
      #expect(try await SQLStore.keepBeforeUpgrade(path, to: "0.1.0") == nil)
      #expect(try copies(in: folder) == ["vpsd.sqlite.before-0.1.0"])
      let mode = try FileManager.default.attributesOfItem(atPath: path + ".before-0.1.0")[.posixPermissions] as? Int
      #expect(mode == 0o600)
      #expect(try Contents(of: path + ".before-0.1.0") == before)
      #expect(throws: DatabaseIsOlder.self) { try SQLStore(path: path + ".before-0.1.0", .asItIs) }
    }
  }

  @Test("Where there is nothing to change, nothing is copied")
  func nothing() async throws {
    try await withTemporaryFolder { folder in
      let path = folder.path + "/vpsd.sqlite"
      #expect(try await SQLStore.keepBeforeUpgrade(path, to: "0.1.0") == nil)
      try SQLStore(path: path).release()
      #expect(try await SQLStore.keepBeforeUpgrade(path, to: "0.1.0") == nil)
      try await RawDatabase(path: path).execute("INSERT INTO grdb_migrations (identifier) VALUES ('99 later')")
      #expect(try await SQLStore.keepBeforeUpgrade(path, to: "0.1.0") == nil)
      #expect(try copies(in: folder) == [])
    }
  }

  @Test("However often an upgrade begins, few copies are kept: the first of the version, and the newest")
  func count() async throws {
    try await withTemporaryFolder { folder in
      let path = folder.path + "/vpsd.sqlite"
      try ReleasedDatabase.all[0].restore(to: path)
      // What others made, and a copy in whose middle a process died.
      for name in [".before-1764214000", ".before-0.0.9.txt", ".before-0.2.0.partial"] {
        try Data().write(to: URL(fileURLWithPath: path + name))
      }
      var made: [String] = []
      for (number, version) in ["0.1.0", "0.2.0", "0.2.0", "0.2.0", "0.2.0"].enumerated() {
        let copy = try #require(try await SQLStore.keepBeforeUpgrade(path, to: version))
        let date = Date(timeIntervalSince1970: Double(1_764_300_000 + number))
        try FileManager.default.setAttributes([.modificationDate: date], ofItemAtPath: copy)
        made.append((copy as NSString).lastPathComponent)
      }
      #expect(
        made == ["", "", "-2", "-3", "-4"].enumerated().map { "vpsd.sqlite.before-0.\($0 == 0 ? 1 : 2).0\($1)" })
      let kept = ["0.0.9.txt", "0.2.0", "0.2.0-3", "0.2.0-4", "1764214000"]
      #expect(try copies(in: folder) == kept.map { "vpsd.sqlite.before-\($0)" })
    }
  }

  @Test("Without room for it nothing is begun, and what is there stays as it is")
  func noRoom() async throws {
    try await withTemporaryFolder { folder in
      let path = folder.path + "/vpsd.sqlite"
      try ReleasedDatabase.all[0].restore(to: path)
      let before = try Data(contentsOf: URL(fileURLWithPath: path))
      let error = await #expect(throws: UnusableFile.self) {
        try await UpgradeCopy(path: path, version: "0.1.0", freeBytes: 15 << 20).write()
      }
      #expect(error?.description.contains("16 MiB of room and has 15") == true, "\(error?.description ?? "")")
      #expect(try copies(in: folder) == [])
      #expect(try Data(contentsOf: URL(fileURLWithPath: path)) == before)
    }
  }
}

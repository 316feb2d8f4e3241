import Foundation
import GRDB
import TestSupport
import Testing

@testable import vpsd

/// Through the program, as it is built.
@Suite("A new version in the place of an old one")
struct UpgradeTests {
  private static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent()

  @Test("The program says which one it is, and the changelog tells of that one first")
  func version() throws {
    let told = try Operator().run("--version")
    #expect(told.status == 0 && told.output == ProgramVersion.text + "\n", "\(told.all)")
    #expect(told.output.hasPrefix("vpsd \(ProgramVersion.number)"))
    let changelog = try String(contentsOf: Self.root.appendingPathComponent("CHANGELOG.md"), encoding: .utf8)
    let parts = changelog.split(separator: "\n").filter { $0.hasPrefix("## ") && $0 != "## Unreleased" }
    #expect(parts.first == "## \(ProgramVersion.number)")
  }

  @Test("The service keeps a database of an earlier version before it changes it, and what was kept can be served")
  func upgrade() async throws {
    let someone = try Operator()
    try FileManager.default.createDirectory(
      atPath: someone.data, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
    let fixture = try String(
      contentsOf: Self.root.appendingPathComponent("Tests/SQLStoreTests/Fixtures/4 whole audit.sql"), encoding: .utf8)
    let queue = try DatabaseQueue(path: someone.database)
    try await queue.writeWithoutTransaction { try $0.execute(sql: fixture) }
    try queue.close()
    _ = try someone.serve()
    let log = try someone.endService()
    let kept = "vpsd.sqlite.before-\(ProgramVersion.number)"
    #expect(log.contains(kept), "\(log)")
    #expect(try someone.names().filter { $0.contains(".before-") } == [kept])
    #expect(try someone.run("account", "list").status == 0)
    let back = try someone.run("restore-state", someone.data + "/" + kept)
    #expect(back.status == 0, "\(back.all)")
    _ = try someone.serve()
    #expect(try !someone.endService().contains(kept))
  }
}

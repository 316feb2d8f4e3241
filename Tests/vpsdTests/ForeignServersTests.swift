import Core
import Foundation
import GRDB
import TestSupport
import Testing

@testable import vpsd

/// Through the program, as it is built. The folders are as those of real servers, whose disks a service removes that does not
/// know them.
@Suite("A service begins only with the database of the servers that are there", .enabled(if: TestDatabase.isSQLite))
struct ForeignServersTests {
  /// Makes a server's folder, and returns the path of its disk.
  private static func makeServer(_ someone: Operator) throws -> String {
    let folder = someone.data + "/servers/" + UUID().text
    try FileManager.default.createDirectory(
      atPath: folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
    try FileManager.default.setAttributes([.posixPermissions: 0o700], ofItemAtPath: someone.data)
    try Data("precious".utf8).write(to: URL(fileURLWithPath: folder + "/disk.qcow2"))
    return folder + "/disk.qcow2"
  }

  private static func note(_ installation: String, _ someone: Operator) throws {
    try Data("\(installation)\n".utf8).write(to: URL(fileURLWithPath: someone.data + "/servers/.installation"))
  }

  @Test("An empty database adopts no servers, however often it is tried")
  func emptyDatabase() throws {
    let someone = try Operator()
    let disk = try Self.makeServer(someone)
    for _ in 1...2 {
      let refused = try someone.run("serve")
      #expect(refused.status == 1 && refused.errors.contains("The database is empty"), "\(refused.all)")
      #expect(!FileManager.default.fileExists(atPath: someone.data + "/token"))
    }
    #expect(try String(contentsOfFile: disk, encoding: .utf8) == "precious")
  }

  @Test("Another installation's database is refused, to the service and to a restore; its own is not")
  func anotherInstallation() throws {
    let someone = try Operator()
    try someone.makeInstallation()
    let copy = someone.folder.url.path + "/copy.sqlite"
    #expect(try someone.run("backup-state", copy).status == 0)
    let disk = try Self.makeServer(someone)
    try Self.note(UUID().uuidString, someone)
    for arguments in [["serve"], ["restore-state", copy]] {
      let refused = try someone.run(arguments)
      #expect(refused.status == 1 && refused.errors.contains("of another installation"), "\(refused.all)")
    }
    let own = try DatabaseQueue(path: someone.database).inDatabase { database in
      try String.fetchOne(database, sql: "SELECT value FROM setting WHERE key = 'installation_id'")
    }
    try Self.note(try #require(own).uppercased(), someone)
    #expect(try someone.run("restore-state", copy).status == 0)
    #expect(try someone.serve().contains("vpsctl"))
    _ = try someone.endService()
    #expect(try String(contentsOfFile: disk, encoding: .utf8) == "precious")
  }

  @Test("Where no service has noted whose servers they are, a restore asks the database that is there")
  func unnoted() throws {
    let (someone, other) = (try Operator(), try Operator())
    for each in [someone, other] { try each.makeInstallation() }
    let copy = other.folder.url.path + "/copy.sqlite"
    #expect(try other.run("backup-state", copy).status == 0)
    let disk = try Self.makeServer(someone)
    let refused = try someone.run("restore-state", copy)
    #expect(refused.status == 1 && refused.errors.contains("of another installation"), "\(refused.all)")
    #expect(try String(contentsOfFile: disk, encoding: .utf8) == "precious")
  }

  @Test("What was noted is what is asked for; without servers anybody may begin")
  func noted() async throws {
    try await withTemporaryFolder { folder in
      let directory = DataDirectory(folder)
      let (own, other) = (UUID(), UUID())
      for _ in 1...2 { try directory.noteServers(of: own) }
      try directory.requireServers(of: other)
      try directory.requireServers(of: nil)
      try FileManager.default.createDirectory(
        atPath: folder.path + "/servers/\(UUID().text)", withIntermediateDirectories: false)
      try directory.requireServers(of: own)
      for stranger in [other, nil] {
        #expect(throws: DataDirectory.Unfit.self) { try directory.requireServers(of: stranger) }
      }
      try directory.noteServers(of: other)
      try directory.requireServers(of: other)
    }
  }
}

import Core
import Foundation
import GRDB
import TestSupport
import Testing

@testable import vpsd

/// Through the program, as it is built.
@Suite("vpsd doctor")
struct DoctorCommandTests {
  private struct Found: Decodable, Equatable {
    let severity: String?
    let area: String?
    let finding: String?
    let remedy: String?
    let removed: String?
  }

  /// Without what is so of the host that the tests run on.
  private func found(_ result: Operator.Result) throws -> [Found] {
    try result.output.split(separator: "\n").map { try JSONDecoder().decode(Found.self, from: Data($0.utf8)) }
      .filter { !["clock", "disk"].contains($0.area) }
  }

  @Test("Before the first start it says so, and makes nothing")
  func nothingThere() throws {
    let someone = try Operator()
    let result = try someone.run("doctor", "--json")
    #expect([1, 2].contains(result.status), "\(result.all)")
    let found = try found(result)
    #expect(found.map(\.area) == ["database"] && found[0].severity == "warning" && found[0].remedy == "vpsd serve")
    #expect(!FileManager.default.fileExists(atPath: someone.data))
  }

  @Test("What others may read, and a port that somebody has, are errors, with the command that mends them")
  func provoked() throws {
    let someone = try Operator()
    try someone.makeInstallation()
    let healthy = try found(someone.run("doctor", "--json"))
    #expect(healthy == [])
    chmod(someone.data + "/secret.key", 0o644)
    let listener = try PortHolder()
    let result = try someone.run("doctor", "--json", with: ["VPSD_LISTEN": "127.0.0.1:\(listener.port)"])
    #expect(result.status == 2)
    let errors = try found(result).filter { $0.severity == "error" }
    #expect(Set(errors.map(\.area)) == ["ports", "permissions"])
    #expect(errors.contains { $0.remedy == "chmod go= \(someone.data)/secret.key" })
    // To people.
    let told = try someone.run("doctor")
    #expect(told.status == 2 && told.output.contains("error: permissions: others may read"), "\(told.all)")
    chmod(someone.data, 0o777)
    let open = try found(someone.run("doctor", "--json"))
    #expect(open.contains { $0.finding?.contains("Others may write") == true })
    chmod(someone.data, 0o700)
  }

  @Test("A database that contradicts itself, or is none, is an error")
  func database() throws {
    let someone = try Operator()
    try someone.makeInstallation()
    let queue = try DatabaseQueue(path: someone.database)
    try queue.writeWithoutTransaction { try $0.execute(sql: "UPDATE account SET balance = balance + 1") }
    try queue.close()
    let contradiction = try someone.run("doctor", "--json")
    #expect(contradiction.status == 2)
    let contradictory = try found(contradiction)
    #expect(contradictory.map(\.area) == ["database"])
    try Data("no database".utf8).write(to: URL(fileURLWithPath: someone.database))
    for suffix in ["-wal", "-shm"] { unlink(someone.database + suffix) }
    let damaged = try someone.run("doctor", "--json")
    #expect(damaged.status == 2 && damaged.output.contains("cannot be used"), "\(damaged.all)")
  }

  @Test("What bears our mark and has no owner is told, and removed when that is asked for; nothing else is")
  func orphans() throws {
    let someone = try Operator()
    try someone.makeInstallation()
    let queue = try DatabaseQueue(path: someone.database)
    let text = try queue.read {
      try String.fetchOne($0, sql: "SELECT value FROM setting WHERE key = 'installation_id'")
    }
    try queue.close()
    let installation = try #require(text)
    let folder = someone.data + "/simulated/machines"
    let machines = try [installation, UUID().uuidString].map { owner in
      let machine = UUID()
      try Data(
        #"{"uuid":"\#(machine.uuidString)","installation":"\#(owner)","endedByGuest":false,"quirks":[]}"#.utf8
      ).write(to: URL(fileURLWithPath: "\(folder)/\(machine.uuidString.lowercased()).json"))
      return machine.uuidString.lowercased()
    }
    func exists(_ machine: String) -> Bool { FileManager.default.fileExists(atPath: "\(folder)/\(machine).json") }
    try #require(machines.allSatisfy(exists))
    let looked = try someone.run("doctor", "--json")
    let told = try found(looked)
    #expect(told.map(\.area) == ["orphans"], "\(looked.all)")
    #expect(exists(machines[0]))
    let mended = try someone.run("doctor", "--repair", "--json")
    let removed = try found(mended).compactMap(\.removed)
    #expect(removed.count == 1, "\(mended.all)")
    #expect(!exists(machines[0]) && exists(machines[1]))
    let afterwards = try found(someone.run("doctor", "--repair", "--json"))
    #expect(afterwards == [])
  }
}

/// Somebody who listens on a port of the loopback.
private final class PortHolder {
  let port: Int
  private let descriptor: CInt

  struct NoPort: Error {}

  init() throws {
    let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
    var length = socklen_t(MemoryLayout<sockaddr_in>.size)
    let isBound = withUnsafeMutablePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
        bind(descriptor, address, length) == 0 && listen(descriptor, 1) == 0
          && getsockname(descriptor, address, &length) == 0
      }
    }
    self.descriptor = descriptor
    port = Int(UInt16(bigEndian: address.sin_port))
    guard isBound else { throw NoPort() }
  }

  deinit { close(descriptor) }
}

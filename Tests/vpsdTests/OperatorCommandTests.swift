import Core
import Foundation
import FoundationNetworking
import GRDB
import SQLStore
import TestSupport
import Testing

@testable import vpsd

/// Through the program, as it is built.
@Suite("What an operator types")
struct OperatorCommandTests {
  private static let readers = [
    ["token", "list"], ["token", "create", "--name", "x"], ["token", "revoke", "1"], ["account", "list"],
    ["account", "create", "a@example.com"], ["account", "update", "admin@localhost"], ["server", "list"], ["audit"],
    ["address", "list"], ["address", "history", "127.80.0.1"], ["host", "list"], ["host", "drain", "local"],
    ["host", "rename", "local", "node1"], ["host", "remove", "local"],
    ["credit", "add", "admin@localhost", "1"], ["credit", "show"], ["credit", "check"], ["credit", "confirm-clock"],
    ["account", "suspend", "admin@localhost"], ["account", "resume", "admin@localhost"], ["server", "suspend", "1"],
    ["server", "resume", "1"],
    ["host", "undrain", "local"], ["account", "show", "1"], ["account", "close", "1"], ["server", "show", "1"],
    ["server", "start", "1"], ["server", "delete", "1"], ["plan", "list"], ["plan", "retire", "3"], ["os", "list"],
    ["os", "update", "3"], ["location", "list"], ["location", "update", "1"],
    ["check"], ["backup-state", "/nonexistent/copy"],
  ]

  @Test("Before the first start every command says what to do, and makes nothing")
  func nothingThere() throws {
    let someone = try Operator()
    for arguments in Self.readers {
      let result = try someone.run(arguments)
      #expect(result.status != 0 && result.errors.contains("start the service once"), "\(arguments): \(result.all)")
    }
    #expect(!FileManager.default.fileExists(atPath: someone.data))
    #expect(try someone.run("image", "list").status == 0)
    #expect(try someone.run("shutdown", "--servers").status == 0)
  }

  @Test("Whoever asks for help reads it, and has done nothing wrong")
  func help() throws {
    let someone = try Operator()
    for arguments in [["--help"], [], ["help", "plan"], ["account"], ["plan", "add", "--help"]] {
      let result = try someone.run(arguments)
      #expect(result.status == 0 && result.errors.isEmpty, "\(arguments): \(result.all)")
      #expect(result.output.hasPrefix("OVERVIEW: ") && result.output.contains("\nUSAGE: vpsd"), "\(result.output)")
    }
  }

  @Test("On a database of an earlier or a newer version every command says what to do, and changes nothing")
  func otherVersions() throws {
    let someone = try Operator()
    try someone.makeInstallation()
    #expect(try someone.names().filter { $0.hasPrefix("vpsd.sqlite-") } == [])
    let whole = try Data(contentsOf: URL(fileURLWithPath: someone.database))
    for (sql, words) in [
      ("DELETE FROM grdb_migrations WHERE rowid = (SELECT MAX(rowid) FROM grdb_migrations)", "an earlier version"),
      ("INSERT INTO grdb_migrations (identifier) VALUES ('99 from the future')", "a newer version"),
    ] {
      try whole.write(to: URL(fileURLWithPath: someone.database))
      let queue = try DatabaseQueue(path: someone.database)
      try queue.writeWithoutTransaction { try $0.execute(sql: sql) }
      try queue.close()
      for suffix in ["-wal", "-shm"] { unlink(someone.database + suffix) }
      let before = try Data(contentsOf: URL(fileURLWithPath: someone.database))
      for arguments in Self.readers {
        let result = try someone.run(arguments)
        #expect(result.status != 0 && result.errors.contains(words), "\(arguments): \(result.all)")
      }
      #expect(try Data(contentsOf: URL(fileURLWithPath: someone.database)) == before)
      #expect(try someone.run("image", "list").status == 0)
      // The servers of another version can be stopped all the same.
      #expect(try someone.run("shutdown", "--servers").status == 0)
      #expect(try Data(contentsOf: URL(fileURLWithPath: someone.database)) == before)
    }
  }

  @Test("A data directory that others may write, or have, is refused in a sentence")
  func unsafeDirectories() throws {
    let someone = try Operator()
    try someone.makeInstallation()
    func expectRefused(
      _ words: String, by commands: [[String]] = [["serve"], ["account", "list"]],
      sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
      for arguments in commands {
        let result = try someone.run(arguments)
        #expect(
          result.status != 0 && result.errors.contains(words), "\(arguments): \(result.all)",
          sourceLocation: sourceLocation)
      }
    }
    for mode in [0o777, 0o770, 0o1777] {
      try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: someone.data)
      try expectRefused("Others may write in the data directory \(someone.data)")
    }
    try expectRefused(
      "Others may write", by: Self.readers + [["shutdown"], ["restore-state", someone.database]])
    try FileManager.default.setAttributes([.posixPermissions: 0o700], ofItemAtPath: someone.data)
    if geteuid() == 0 {
      chown(someone.data, 4711, 4711)
      try expectRefused("belongs to the user 4711")
      chown(someone.data, 0, 0)
    }
    // Two directories whose databases are one.
    let elsewhere = someone.folder.url.path + "/elsewhere.sqlite"
    try FileManager.default.moveItem(atPath: someone.database, toPath: elsewhere)
    try FileManager.default.createSymbolicLink(atPath: someone.database, withDestinationPath: elsewhere)
    try expectRefused("is no file")
    unlink(someone.database)
    try FileManager.default.moveItem(atPath: elsewhere, toPath: someone.database)
    // The directory itself may be a link: whoever comes through it meets the same lock.
    try FileManager.default.moveItem(atPath: someone.data, toPath: someone.data + "-real")
    try FileManager.default.createSymbolicLink(atPath: someone.data, withDestinationPath: someone.data + "-real")
    #expect(try someone.run("account", "list").status == 0)
  }

  @Test("What a client of the service reads is no setting, and no warning")
  func clientVariables() throws {
    let someone = try Operator()
    let variables = ["VPSD_URL": "http://127.0.0.1:8080", "VPSD_TOKEN": "x"]
    #expect(try someone.run("config", with: variables).errors.isEmpty)
    #expect(try someone.run("config", with: ["VPSD_TOKENS": "x"]).errors.contains("VPSD_TOKENS names no setting"))
  }

  @Test("A service that does not start says why in a sentence")
  func startErrors() throws {
    let someone = try Operator()
    let long = someone.folder.url.path + "/" + String(repeating: "d", count: 170)
    let results = [
      (
        try someone.run("serve", with: ["VPSD_DATA_DIR": long, "VPSD_DRIVER": "libvirt"]),
        "The path of the data directory"
      ),
      (
        try someone.run("serve", with: ["VPSD_DATA_DIR": "/proc/nowhere"]),
        "The data directory /proc/nowhere cannot be made"
      ),
      (try someone.run("serve", with: ["VPSD_LISTEN": "no-such-host.invalid:80"]), "Cannot listen on no-such-host"),
      (try someone.run("serve", with: ["VPSD_LISTEN": "192.0.2.1:80"]), "Cannot listen on 192.0.2.1:80"),
      (try someone.run("restore-state", "/nonexistent/copy"), "Cannot open /nonexistent/copy: No such file"),
      (try someone.run("account", "create", "admin@localhost"), "An account with this email exists already"),
    ]
    for (result, words) in results {
      #expect(result.status != 0)
      #expect(
        result.errors.contains("Error: \(words)") || result.errors.contains("email: \(words)"), "\(result.errors)")
      for raw in ["DriverError", "kind:", "Optional", "Domain=", "nil", "POSIXError"] {
        #expect(!result.errors.contains(raw), "\(result.errors)")
      }
    }
    try Data("no database".utf8).write(to: URL(fileURLWithPath: someone.database))
    let damaged = try someone.run("serve")
    #expect(damaged.errors.contains("\(someone.database) cannot be used as a database: "), "\(damaged.errors)")
  }

  private static let hostile = "a\u{1B}[2J\u{9B}\u{202E}\r\nforged"

  /// Every line begins as ours do, and nothing in them is obeyed by a terminal.
  private func expectUnforged(_ text: String, sourceLocation: SourceLocation = #_sourceLocation) {
    #expect(text.contains(#"\u{1B}[2J\u{009B}\u{202E}\r\nforged"#), "\(text)", sourceLocation: sourceLocation)
    for line in text.split(separator: "\n", omittingEmptySubsequences: false) {
      #expect(!line.hasControl, "\(text.escaped())", sourceLocation: sourceLocation)
      #expect(!line.hasPrefix("forged"), "\(text.escaped())", sourceLocation: sourceLocation)
    }
  }

  @Test("Whatever was typed, or is in a file or a variable, what ends a command forges no line of the terminal")
  func forgedErrors() throws {
    let someone = try Operator()
    try someone.makeInstallation()
    let folder = someone.folder.url
    for arguments in [
      ["account", "list", Self.hostile], ["--\(Self.hostile)"], ["token", "revoke", Self.hostile],
      ["account", "create", Self.hostile], ["account", "update", Self.hostile],
      ["token", "list", "--config", Self.hostile], ["token", "list", "--driver", Self.hostile],
      ["restore-state", "\(folder.path)/\(Self.hostile)"], ["backup-state", "/nonexistent/\(Self.hostile)"],
    ] {
      let result = try someone.run(arguments)
      #expect(result.status != 0 && result.output.isEmpty, "\(arguments)")
      expectUnforged(result.errors)
    }
    let file = folder.appendingPathComponent("vpsd.yaml")
    for text in [
      #"driver: "a\x1B[2J\x9B\u202E\r\nforged""#, #""a\x1B[2J\x9B\u202E\r\nforged": 1"#,
      "driver: simulated\nlisten: [\u{9B}\u{202E}forged",
    ] {
      try Data(text.utf8).write(to: file)
      let errors = try someone.run("account", "list", "--config", file.path).errors
      #expect(errors.contains("The configuration is not valid.\n"))
      #expect(!errors.unicodeScalars.contains { $0.isControl && $0 != "\n" }, "\(errors.escaped())")
      #expect(!errors.contains("\nforged"), "\(errors)")
    }
    expectUnforged(try someone.run("account", "list", with: ["VPSD_\(Self.hostile)": "1"]).errors)
    try DatabaseQueue(path: someone.database).write { database in
      try database.execute(sql: "UPDATE account SET email = ?", arguments: [Self.hostile])
    }
    for arguments in [["account", "list"], ["token", "list"], ["token", "create", "--name", "a"]] {
      let result = try someone.run(arguments)
      #expect(result.status == 0, "\(result.errors)")
      expectUnforged(result.output)
    }
  }

  @Test("What a host says when it fails, in words that others chose, is one line of the service's log")
  func forgedLog() async throws {
    let someone = try Operator(named: "data\(Self.hostile)", ["VPSD_LOG_LEVEL": "debug"])
    let banner = try someone.serve()
    let url = try #require(banner.firstMatch(of: #/http://[0-9.:]+/#)).output
    let token = try String(contentsOfFile: someone.data + "/token", encoding: .utf8)
    try FileManager.default.removeItem(atPath: someone.data + "/simulated/machines")
    var request = URLRequest(url: try #require(URL(string: url + "/api/v1/servers/")))
    request.httpMethod = "POST"
    request.httpBody = Data(#"{"name": "a", "plan_id": 3, "os_id": 3, "location": "us-west"}"#.utf8)
    request.setValue("application/json", forHTTPHeaderField: "Content-Type")
    request.setValue("Bearer \(token.filter { $0 != "\n" })", forHTTPHeaderField: "Authorization")
    let (_, reply) = try await URLSession.shared.data(for: request)
    #expect((reply as? HTTPURLResponse)?.statusCode == 201)
    try await someone.whenLogged("step failed")
    let log = try someone.endService()
    expectUnforged(log)
    let entry = #/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\S* (debug|info|notice|warning|error) vpsd/#
    for line in log.split(separator: "\n") { #expect(line.prefixMatch(of: entry) != nil, "\(line)") }
  }

  @Test("The first token is written to its file, and not to where a journal would keep it")
  func journal() throws {
    let someone = try Operator(["VPSD_LOG_LEVEL": "trace"])
    let banner = try someone.serve()
    let token = try String(contentsOfFile: someone.data + "/token", encoding: .utf8)
      .trimmingCharacters(in: .whitespacesAndNewlines)
    #expect(token.hasPrefix("vps_"))
    #expect(banner.contains("Your token is in \(someone.data)/token."))
    #expect(!banner.contains(token))
    #expect(!(try someone.endService()).contains(token))
  }

  @Test("A token for operators is made with its own option only, and is told from the others wherever they are listed")
  func operatorTokens() throws {
    let someone = try Operator()
    try someone.makeInstallation()
    for permission in ["operator:*", "operator:read"] {
      for more in [[], ["--operator"]] {
        let arguments = ["token", "create", "--name", "refused", "--permission", permission] + more
        let refused = try someone.run(arguments)
        #expect(refused.status != 0 && refused.errors.contains("only --operator makes a token for operators"))
      }
    }
    for arguments in [
      ["--name", "plain"], ["--name", "ops", "--operator"],
      ["--name", "both", "--operator", "--permission", "servers:read"],
    ] {
      let made = try someone.run(["token", "create"] + arguments)
      #expect(made.status == 0 && made.output.contains("vps_"), "\(made.all)")
    }
    let list = try someone.run("token", "list").output
    func permissions(_ name: String) -> String? {
      let line = list.split(separator: "\n").first { $0.contains(" \(name) ") }
      return line.map { $0.matches(of: /[a-z*]+:[a-z*]+/).map { String($0.output) }.joined(separator: " ") }
    }
    #expect(permissions("plain") == "*:*")
    #expect(permissions("ops") == "operator:*")
    #expect(permissions("both") == "operator:* servers:read")
    #expect(permissions("refused") == nil)
    #expect(try someone.run("audit").output.matches(of: /token.create/).count == 3)
  }

  @Test("Hosts of the configuration are listed, drained and taken out; a location that nobody knows stops the start")
  func hosts() throws {
    let someone = try Operator()
    let file = someone.folder.url.appendingPathComponent("vpsd.yaml").path
    try "locations: {us-west: {driver: simulated, hosts: 2}}".write(toFile: file, atomically: true, encoding: .utf8)
    #expect(try someone.serve("--config", file).contains("(3 hosts: simulated)"))
    func states() throws -> [String: String] {
      let lines = try someone.run("host", "list", "--config", file).output.split(separator: "\n").dropFirst()
      let rows = lines.map { $0.split(separator: " ") }
      #expect(rows.allSatisfy { $0.count >= 8 })
      return Dictionary(
        uniqueKeysWithValues: rows.map { row in
          let stateIndex = row.firstIndex { ["active", "draining", "away"].contains($0) } ?? 0
          return (String(row[0]), String(row[stateIndex]))
        })
    }
    #expect(try states() == ["local": "active", "us-west/1": "active", "us-west/2": "active"])
    #expect(try someone.run("host", "drain", "us-west/2").output == "The host us-west/2 takes no more servers.\n")
    #expect(try states()["us-west/2"] == "draining")
    #expect(try someone.run("host", "undrain", "us-west/2").status == 0)
    #expect(try states()["us-west/2"] == "active")
    let unknown = try someone.run("host", "drain", "nowhere")
    #expect(unknown.status != 0 && unknown.errors.contains("There is no host"))
    #expect(try someone.run("audit").output.matches(of: /host\.(un)?drain .*us-west\/2/).count == 2)
    #expect(try someone.run("check", "--config", file).status == 0)
    _ = try someone.endService()
    // Without them in the configuration they are not served any more; nothing was on them.
    _ = try someone.serve()
    #expect(try states() == ["local": "active"])
    _ = try someone.endService()
    try "locations: {nowhere: {}}".write(toFile: file, atomically: true, encoding: .utf8)
    let refused = try someone.run("serve", "--config", file)
    #expect(refused.status != 0 && refused.errors.contains("there is no location \"nowhere\" in the catalogue"))
  }

  @Test("A check with another driver than the service's says so, and starts and makes nothing")
  func wrongDriver() throws {
    let someone = try Operator()
    _ = try someone.serve()
    let before = try someone.names()
    let result = try someone.run("check", "--driver", "libvirt")
    #expect(
      result.status != 0 && result.errors.contains("The driver that is configured here is libvirt"), "\(result.all)")
    #expect(try someone.names() == before)
    #expect(try someone.run("check").status == 0)
    _ = try someone.endService()
  }

  @Test("Nothing is put back that cannot be served, and whatever it is, nothing is replaced and nobody is waited for")
  func unfitStates() throws {
    let someone = try Operator()
    try someone.makeInstallation()
    let folder = someone.folder.url.path
    let copy = folder + "/copy.sqlite"
    #expect(try someone.run("backup-state", copy).status == 0)
    let before = try Data(contentsOf: URL(fileURLWithPath: someone.database))
    let names = try someone.names()

    func changed(_ name: String, _ sql: String) throws -> String {
      let path = "\(folder)/\(name)"
      try FileManager.default.copyItem(atPath: copy, toPath: path)
      let queue = try DatabaseQueue(path: path)
      try queue.writeWithoutTransaction { try $0.execute(sql: sql) }
      try queue.close()
      return path
    }
    try Data("no database".utf8).write(to: URL(fileURLWithPath: folder + "/text"))
    try Data().write(to: URL(fileURLWithPath: folder + "/empty"))
    mkfifo(folder + "/fifo", 0o600)
    try FileManager.default.createSymbolicLink(atPath: folder + "/link", withDestinationPath: copy)
    let files = [
      ("\(folder)/text", "no database"), ("\(folder)/empty", "no database of vpsd"), ("\(folder)/fifo", "is no file"),
      ("\(folder)/link", "is a link"), (folder, "is no file"), ("\(folder)/missing", "No such file"),
      (try changed("newer", "INSERT INTO grdb_migrations (identifier) VALUES ('99 future')"), "newer version"),
      (try changed("wrong", "ALTER TABLE account ADD COLUMN extra TEXT"), "changed its tables"),
      (
        try changed("false", "PRAGMA ignore_check_constraints = ON; UPDATE account SET balance = 7"),
        "contradicts itself"
      ),
    ]
    for (file, words) in files {
      let result = try someone.run("restore-state", file)
      #expect(result.status != 0 && result.errors.contains(words), "\(file): \(result.all)")
      #expect(try Data(contentsOf: URL(fileURLWithPath: someone.database)) == before, "\(file)")
      #expect(try someone.names() == names, "\(file)")
    }
    #expect(try someone.run("restore-state", copy).status == 0)
  }
}

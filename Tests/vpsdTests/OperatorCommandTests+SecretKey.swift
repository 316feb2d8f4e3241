import Foundation
import TestSupport
import Testing

/// What is sealed can be opened again, or somebody is told.
extension OperatorCommandTests {
  private func makeSealed(_ someone: Operator) async throws {
    let customer = try Customer(of: someone, try someone.serve())
    let order =
      ##"{"name": "a", "plan_id": 3, "os_id": 3, "location": "us-west", "user_data": "#!/bin/sh\necho the-secret\n"}"##
    let made = try await customer.send("POST", "/servers/", order)
    #expect(made.status == 201, "\(made.text)")
    try await customer.eventually("/servers/1/") { try $0.json["status"] as? String == "active" }
    for path in ["/servers/", "/servers/1/", "/servers/1/operations/"] {
      #expect(try await !customer.send("GET", path).text.contains("the-secret"), "\(path)")
    }
    #expect(try !someone.endService().contains("the-secret"))
    for command in [["server", "list", "--json"], ["audit", "--json"]] {
      let told = try someone.run(command)
      #expect(told.status == 0 && !told.all.contains("the-secret"), "\(command)")
    }
  }

  @Test("Without its key a service that has sealed anything does not start, and makes no other one")
  func lostKey() async throws {
    let someone = try Operator()
    let key = someone.data + "/secret.key"
    try someone.makeInstallation()
    // Nothing is sealed yet.
    try FileManager.default.removeItem(atPath: key)
    try await makeSealed(someone)
    let kept = try Data(contentsOf: URL(fileURLWithPath: key))
    #expect(try someone.run("check").status == 0)
    try FileManager.default.removeItem(atPath: key)
    let refused = try someone.run("serve")
    #expect(refused.status != 0 && refused.errors.contains("\(key) is missing"), "\(refused.all)")
    #expect(refused.errors.contains("Put it back"), "\(refused.all)")
    #expect(!FileManager.default.fileExists(atPath: key))
    #expect(try someone.run("check").output.contains("\(key) is missing"))

    // Whoever says so goes on with another one, and is told at each start.
    let other = Data((0..<32).map { UInt8($0) })
    _ = FileManager.default.createFile(atPath: key, contents: other, attributes: [.posixPermissions: 0o600])
    _ = try someone.serve()
    #expect(try someone.endService().contains("does not open the user data"))
    #expect(try someone.run("check").output.contains("(1 of 1 that were tried): it is another key"))
    // What it seals itself does not hide what it does not open.
    let customer = try Customer(of: someone, try someone.serve())
    let order =
      ##"{"name": "b", "plan_id": 3, "os_id": 3, "location": "us-west", "user_data": "#!/bin/sh\necho more\n"}"##
    expectEqual(try await customer.send("POST", "/servers/", order).status, 201)
    try await customer.eventually("/servers/2/") { try $0.json["status"] as? String == "active" }
    _ = try someone.endService()
    #expect(try someone.run("check").output.contains("(1 of 2 that were tried): it is another key"))
    let again = try Customer(of: someone, try someone.serve())
    expectEqual(try await again.send("DELETE", "/servers/2/").status, 204)
    #expect(try someone.endService().contains("(1 of 2 that were tried)"))
    try kept.write(to: URL(fileURLWithPath: key))
    chmod(key, 0o644)
    let open = try someone.run("serve")
    #expect(open.status != 0 && open.errors.contains("only its owner may read"), "\(open.all)")
    let copy = someone.folder.url.path + "/copy"
    let copied = try someone.run("backup-state", copy)
    #expect(copied.status == 1 && copied.errors.contains("The key is not beside it."), "\(copied.all)")
    #expect(FileManager.default.fileExists(atPath: copy) && !FileManager.default.fileExists(atPath: copy + ".key"))
    chmod(key, 0o600)
    _ = try someone.serve()
    #expect(try !someone.endService().contains("user data"))
  }

  @Test("A copy of the state has the key beside it, which comes back with it, and overwrites nothing")
  func copiedKey() async throws {
    let someone = try Operator()
    try await makeSealed(someone)
    let kept = try Data(contentsOf: URL(fileURLWithPath: someone.data + "/secret.key"))
    let copy = someone.folder.url.path + "/copy"
    let made = try someone.run("backup-state", copy)
    #expect(made.status == 0 && made.output.contains("\(copy).key"), "\(made.all)")
    #expect(try Data(contentsOf: URL(fileURLWithPath: copy + ".key")) == kept)
    let mode = try FileManager.default.attributesOfItem(atPath: copy + ".key")[.posixPermissions] as? Int
    #expect(mode == 0o600)
    let second = someone.folder.url.path + "/second"
    try Data("theirs".utf8).write(to: URL(fileURLWithPath: second + ".key"))
    let refused = try someone.run("backup-state", second)
    #expect(refused.status != 0 && refused.errors.contains("\(second).key"), "\(refused.all)")
    #expect(!FileManager.default.fileExists(atPath: second))
    #expect(try Data(contentsOf: URL(fileURLWithPath: second + ".key")) == Data("theirs".utf8))

    // On another machine, which has a key of its own.
    let other = try Operator()
    try other.makeInstallation()
    let own = try Data(contentsOf: URL(fileURLWithPath: other.data + "/secret.key"))
    try FileManager.default.moveItem(atPath: copy + ".key", toPath: copy + ".away")
    let without = try other.run("restore-state", copy)
    #expect(without.status == 0 && without.output.contains("a key that is not here"), "\(without.all)")
    try own.write(to: URL(fileURLWithPath: copy + ".key"))
    let wrong = try other.run("restore-state", copy)
    #expect(wrong.status != 0 && wrong.errors.contains("does not open what is sealed"), "\(wrong.all)")
    try FileManager.default.removeItem(atPath: copy + ".key")
    try FileManager.default.moveItem(atPath: copy + ".away", toPath: copy + ".key")
    // It is no reason to leave things as they are.
    chmod(other.data + "/secret.key", 0o644)
    let whole = try other.run("restore-state", copy)
    #expect(whole.status == 0 && !whole.output.contains("not here"), "\(whole.all)")
    #expect(try Data(contentsOf: URL(fileURLWithPath: other.data + "/secret.key")) == kept)
    let before = try other.names().filter { $0.hasPrefix("secret.key.before-") }
    #expect(before.count == 1)
    #expect(try before.first.map { try Data(contentsOf: URL(fileURLWithPath: "\(other.data)/\($0)")) } == own)
    // A copy of the state that it opens has it beside itself.
    let beside = try other.names().filter { $0.hasPrefix("vpsd.sqlite.before-") && $0.hasSuffix(".key") }
    #expect(beside.count == 1)
    #expect(
      beside.first?.dropFirst("vpsd.sqlite".count).dropLast(".key".count) == before.first?.dropFirst("secret.key".count)
    )
    #expect(try beside.first.map { try Data(contentsOf: URL(fileURLWithPath: "\(other.data)/\($0)")) } == own)
    _ = try other.serve()
    #expect(try !other.endService().contains("user data"))
    // Nor is one beside the copy that is none, where the own one opens it.
    try Data("none".utf8).write(to: URL(fileURLWithPath: copy + ".key"))
    let again = try other.run("restore-state", copy)
    #expect(again.status == 0 && !again.output.contains("not here"), "\(again.all)")
    #expect(try Data(contentsOf: URL(fileURLWithPath: other.data + "/secret.key")) == kept)
  }
}

import Core
import Foundation
import Synchronization
import TestSupport
import Testing

@testable import IncusDriver

/// What an LXD 5.0 is asked for, which is a list of names here.
@Suite("A server that gives no container another disk makes another container")
struct ReplacementTests {
  private static let installation = UUID()
  private static let machine = UUID()
  private static let (own, new) = ("vps-\(machine.text)", "new-\(machine.text)")
  private static let copy = UUID()
  private static let checksum = "f00"

  private static let copies =
    #"[{"fingerprint":"\#(checksum)","size":1,"aliases":[{"name":"debian-12/1"}],"#
    + #""properties":{"vpsd.installation":"\#(installation.text)","#
    + #""vpsd.machine":"\#(machine.text)","vpsd.copy":"\#(copy.text)"}}]"#

  /// The configurations of what is there, by name.
  private typealias Instances = [String: [String: String]]

  private static func config(_ more: [String: String] = [:], isDefined: Bool = true) -> [String: String] {
    [
      "user.vpsd.installation": installation.text, "user.vpsd.machine": machine.text,
      "user.vpsd.addresses": "127.90.0.1", "volatile.uuid": "u",
    ].merging(isDefined ? ["user.vpsd.defined": "true"] : [:]) { $1 }.merging(more) { $1 }
  }

  private static func told(_ name: String, _ config: [String: String]) -> JSONBody.Value {
    .object([
      "name": .text(name), "status_code": .number(102), "location": .text("none"), "architecture": .text("x86_64"),
      "config": .texts(config), "devices": .object(["root": .texts(["type": "disk", "size": "4GiB"])]),
    ])
  }

  private static func json(_ value: JSONBody.Value) -> String {
    let text = String(decoding: (try? JSONBody(["v": value]).bytes) ?? [], as: UTF8.self)
    return String(text.dropFirst(#"{"v":"#.count).dropLast())
  }

  private struct Sent: Decodable {
    let name: String?
    let config: [String: String]?
  }

  /// - Parameter failing: The method and the path of a call that is refused.
  private static func with(
    _ present: Instances, failing: String? = nil, hasCopies: Bool = true,
    _ body: (IncusDriver, ScriptedServer) async throws -> Void
  ) async throws {
    let state = Mutex(present)
    let script: ScriptedServer.Script = { request in
      let path = String(request.path.prefix { $0 != "?" })
      let name = path.split(separator: "/").last.map(String.init) ?? ""
      let sent = try? JSONDecoder().decode(Sent.self, from: Data(request.body.utf8))
      if failing == "\(request.method) \(path)" { return .error(500, "no") }
      return state.withLock { instances in
        switch (request.method, path) {
        case ("GET", "/1.0"): return .sync(#"{"auth":"trusted","api_extensions":["restrict_devlxd"]}"#)
        case ("GET", "/1.0/images"): return .sync(hasCopies ? copies : "[]")
        case ("GET", "/1.0/operations"): return .sync("{}")
        case ("GET", let path) where path.hasPrefix("/1.0/operations/"): return .ended("7")
        case ("GET", "/1.0/instances"): return .sync(json(.list(instances.map { told($0.key, $0.value) })))
        case ("GET", let path) where path.hasSuffix("/snapshots"): return .sync("[]")
        case ("GET", _): return instances[name].map { .sync(json(told(name, $0))) } ?? .error(404, "not found")
        case ("POST", "/1.0/instances"): instances[sent?.name ?? ""] = sent?.config
        case ("POST", _) where instances[name] == nil: return .error(404, "not found")
        case ("POST", _): instances[sent?.name ?? ""] = instances.removeValue(forKey: name)
        case ("PATCH", _): instances[name]?.merge(sent?.config ?? [:]) { $1 }
        case ("DELETE", _): instances[name] = nil
        default: return .error(400, "what?")
        }
        return .operation("7")
      }
    }
    try await ScriptedServer.with(script) { server, endpoint async throws in
      let configuration = IncusDriver.Configuration(installation: installation)
      try await body(IncusDriver(configuration, at: [endpoint], dialect: nil), server)
    }
  }

  private func changes(_ server: ScriptedServer) -> [String] {
    server.requests.filter { $0.method != "GET" }.map { request in
      "\(request.method) \(request.path.prefix { $0 != "?" })".replacing("/1.0/instances", with: "")
    }
  }

  private func restore(_ driver: IncusDriver) async throws {
    // What goes on in the background needs a thread, too.
    while try await driver.ensureRestored(Self.machine, from: Self.copy, checksum: Self.checksum) != .done {
      await Task.yield()
    }
  }

  @Test("It takes the old one's place and name once it is whole, with all that was known of that")
  func takesItsPlace() async throws {
    try await Self.with([Self.own: Self.config(["user.vpsd.power": "cut"])]) { driver, server async throws in
      try await restore(driver)
      #expect(
        changes(server) == [
          "PATCH /\(Self.own)", "POST ", "PATCH /\(Self.new)", "DELETE /\(Self.own)", "POST /\(Self.new)",
          "PATCH /\(Self.own)",
        ])
      let creation = try #require(server.requests.first { $0.method == "POST" }).body
      #expect(creation.contains(#""user.vpsd.power":"cut""#) && creation.contains(#""size":"4GiB""#))
      #expect(!creation.contains("volatile.") && !creation.contains("user.vpsd.defined"))
      #expect(creation.contains(#""source":{"fingerprint":"f00","type":"image"}"#))
      let instance = try #require(try await driver.instance(of: Self.machine))
      #expect(instance.isDefined && instance.hasDisk)
    }
  }

  @Test("One that cannot be made leaves the machine where it was, and nothing of itself")
  func refused() async throws {
    try await Self.with([Self.own: Self.config()], failing: "POST /1.0/instances") { driver, server async throws in
      await #expect(throws: DriverError.self) { try await restore(driver) }
      #expect(try await driver.power(of: Self.machine) == .off(.other))
      #expect(changes(server) == ["PATCH /\(Self.own)", "POST "])
    }
    try await Self.with([Self.own: Self.config()], failing: "PATCH /1.0/instances/\(Self.new)") {
      driver, server async throws in
      await #expect(throws: DriverError.self) { try await restore(driver) }
      #expect(changes(server) == ["PATCH /\(Self.own)", "POST ", "PATCH /\(Self.new)", "DELETE /\(Self.new)"])
    }
  }

  @Test("After a death between the end of the one and the name of the other, whoever looks ends what was begun")
  func death() async throws {
    try await Self.with([Self.new: Self.config(["user.vpsd.disk": "absent"])]) { driver, server async throws in
      #expect(try await driver.power(of: Self.machine) == .off(.other))
      #expect(changes(server) == ["POST /\(Self.new)"])
      try await restore(driver)
      #expect(try await driver.observe().powers == [Self.machine: .off(.other)])
      try await driver.ensureAbsent(Self.machine)
      #expect(try await driver.anyInstance(of: Self.machine) == nil)
    }
    // One that is half made is none.
    try await Self.with([Self.new: Self.config(isDefined: false)]) { driver, server async throws in
      #expect(try await driver.power(of: Self.machine) == .remnant)
      #expect(changes(server).isEmpty)
    }
  }

  @Test("What another death left beside the machine goes with its next definition, and with the machine")
  func leftover() async throws {
    let both = [Self.own: Self.config(), Self.new: Self.config(isDefined: false)]
    try await Self.with(both) { driver, server async throws in
      let address = try #require(IPv4Address("127.90.0.1"))
      #expect(try await driver.isAddressFree(.ipv4(address), for: Self.machine))
      try await driver.ensureDefined(try InstanceTests.specification(Self.machine))
      #expect(changes(server) == ["DELETE /\(Self.new)", "PATCH /\(Self.own)"])
      let change = try #require(server.requests.last { $0.method == "PATCH" }).body
      #expect(change.contains(#""security.devlxd":"false""#) && !change.contains("guestapi"))
    }
    try await Self.with(both) { driver, server async throws in
      try await driver.ensureAbsent(Self.machine)
      #expect(changes(server).prefix(2) == ["DELETE /\(Self.new)", "DELETE /\(Self.own)"])
    }
  }

  @Test("Alone it is a remnant of its machine, which is removed with that")
  func remnant() async throws {
    try await Self.with([Self.new: Self.config(isDefined: false)], hasCopies: false) { driver, server async throws in
      #expect(try await driver.observe().powers == [Self.machine: .remnant])
      try await driver.ensureAbsent(Self.machine)
      #expect(changes(server) == ["DELETE /\(Self.new)"])
      #expect(try await driver.observe().powers.isEmpty)
    }
  }
}

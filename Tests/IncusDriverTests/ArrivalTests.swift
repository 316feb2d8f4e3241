import Core
import Foundation
import Logging
import Synchronization
import TestSupport
import Testing

@testable import IncusDriver

/// A container that is off moves from one server to another one, which knows nothing of it.
@Suite("A container moves from one Incus to another")
struct ArrivalTests {
  private static let installation = UUID()
  private static let machine = UUID()
  private static let copy = UUID()
  private static let path = "/1.0/instances/vps-\(machine.text)"

  /// What one of the two has.
  private struct Place: Sendable {
    struct Image: Sendable {
      let fingerprint: String
      let content: String
      let properties: [String: String]
    }

    var certificate = "a"
    var program = "incus"
    /// Nil where it has no container.
    var config: [String: String]?
    var statusCode = 102
    var images: [Image] = []
    /// The files that are sent to it, by what it makes of them.
    var known: [String: Image] = [:]
    /// How what it is told to make ends.
    var trouble = ""

    var facts: String {
      #"{"auth":"trusted","api_extensions":["instances_rebuild"],"environment":{"server":"\#(program)","#
        + #""certificate_fingerprint":"\#(certificate)","architectures":["x86_64","i686"]}}"#
    }

    var instance: String {
      get throws {
        let fields: [String: JSONBody.Value] = [
          "name": .text("vps-\(ArrivalTests.machine.text)"), "status_code": .number(statusCode),
          "architecture": .text("x86_64"), "config": .texts(config ?? [:]),
          "devices": .object([
            "root": .texts(["type": "disk", "path": "/", "pool": "theirs", "size": "7GiB"]),
            "in-1": .texts(["type": "proxy", "listen": "tcp:127.90.0.1:22", "connect": "tcp:127.0.0.1:22"]),
          ]),
        ]
        return String(decoding: try JSONBody(fields).bytes, as: UTF8.self)
      }
    }

    var list: String {
      get throws {
        let all = try images.map { image in
          let fields: [String: JSONBody.Value] = [
            "fingerprint": .text(image.fingerprint), "size": .number(image.content.count), "aliases": .list([]),
            "properties": .texts(image.properties), "type": .text("container"),
          ]
          return String(decoding: try JSONBody(fields).bytes, as: UTF8.self)
        }
        return "[\(all.joined(separator: ","))]"
      }
    }

    mutating func answer(_ request: ScriptedServer.Request) throws -> ScriptedServer.Answer {
      let path = String(request.path.prefix { $0 != "?" })
      switch (request.method, path) {
      case ("GET", "/1.0"), ("GET", "/1.0/"): return .sync(facts)
      case ("GET", ArrivalTests.path) where config != nil: return .sync(try instance)
      case ("GET", ArrivalTests.path): return .error(404, "Instance not found")
      case ("GET", "/1.0/images"): return .sync(try list)
      case ("GET", let path) where path.hasSuffix("/export"):
        let image = images.first { path.contains($0.fingerprint) }
        return image.map { .json(200, $0.content) } ?? .error(404, "no image")
      case ("POST", "/1.0/images"):
        if let known = known[request.body] { images.append(known) } else { publish(request.body) }
        return .operation("7")
      case ("POST", "/1.0/instances"):
        if trouble.isEmpty { config = ArrivalTests.config(of: request.body) }
        return .operation("8")
      case ("PATCH", ArrivalTests.path):
        config?.merge(ArrivalTests.config(of: request.body)) { $1 }
        return .sync("{}")
      case ("DELETE", ArrivalTests.path):
        config = nil
        return .operation("7")
      case ("DELETE", let path):
        images.removeAll { path.hasSuffix($0.fingerprint) }
        return .operation("7")
      case ("GET", "/1.0/operations"): return .sync("{}")
      case ("GET", "/1.0/operations/8/wait") where !trouble.isEmpty: return .ended("8", code: 400, error: trouble)
      case ("GET", let path) where path.hasPrefix("/1.0/operations/"): return .ended("7")
      default: return .sync("[]")
      }
    }

    private mutating func publish(_ body: String) {
      let properties = ArrivalTests.texts("properties", of: body)
      images.append(Image(fingerprint: "d15c", content: "the disk", properties: properties))
    }
  }

  private static func texts(_ key: String, of body: String) -> [String: String] {
    let object = try? JSONSerialization.jsonObject(with: Data(body.utf8)) as? [String: Any]
    return object?[key] as? [String: String] ?? [:]
  }
  private static func config(of body: String) -> [String: String] { texts("config", of: body) }

  private static let marks = [
    "user.vpsd.installation": installation.text, "user.vpsd.machine": machine.text, "user.vpsd.defined": "true",
    "user.vpsd.power": "on", "user.vpsd.addresses": "127.90.0.1", "user.vpsd.hostname": "web",
    "limits.memory": "512MiB", "security.privileged": "false", "raw.lxc": "theirs", "volatile.uuid": "u",
  ]
  private static let backup = Place.Image(
    fingerprint: "c0b1", content: "the copy",
    properties: [
      "vpsd.installation": installation.text, "vpsd.machine": machine.text, "vpsd.copy": copy.text,
    ])

  private final class Box: Sendable {
    let source: Mutex<Place>
    let target: Mutex<Place>
    init(_ source: Place, _ target: Place) {
      self.source = Mutex(source)
      self.target = Mutex(target)
    }
  }

  private static func with(
    source: (inout Place) -> Void = { _ in }, target: (inout Place) -> Void = { _ in },
    _ body: (_ source: IncusDriver, _ target: IncusDriver, _ box: Box, _ servers: [ScriptedServer]) async throws -> Void
  ) async throws {
    var (from, to) = (Place(), Place())
    (from.config, from.images) = (marks, [backup])
    to.certificate = "b"
    to.known = ["the copy": backup]
    source(&from)
    target(&to)
    let box = Box(from, to)
    let scripts: [ScriptedServer.Script] = [
      { request in (try? box.source.withLock { try $0.answer(request) }) ?? .silence },
      { request in
        // What the file says of itself is what was said at the source.
        let transfer = box.source.withLock { $0.images.first { $0.fingerprint == "d15c" } }
        return
          (try? box.target.withLock { place in
            if let transfer { place.known["the disk"] = place.known["the disk"] ?? transfer }
            return try place.answer(request)
          }) ?? .silence
      },
    ]
    try await ScriptedServer.with(scripts[0]) { first, firstEnd async throws in
      try await ScriptedServer.with(scripts[1]) { second, secondEnd async throws in
        var configuration = IncusDriver.Configuration(installation: installation)
        let source = IncusDriver(configuration, at: [firstEnd])
        configuration.storagePool = "ours"
        let target = IncusDriver(configuration, at: [secondEnd])
        try await body(source, target, box, [first, second])
      }
    }
  }

  private static func changes(_ server: ScriptedServer) -> [String] {
    server.requests.filter { $0.method != "GET" }.map { "\($0.method) \($0.path.prefix { $0 != "?" })" }
  }

  private static func receive(from source: IncusDriver, at target: IncusDriver) async throws {
    while try await target.ensureReceived(machine, from: source) != .done { await Task.yield() }
  }

  private static func refusal(_ body: () async throws -> Void) async -> DriverError? {
    do {
      try await body()
      return nil
    } catch {
      return error as? DriverError
    }
  }

  @Test("It comes as an image with its copies, is whole last, and the source keeps all but that image")
  func arrives() async throws {
    try await Self.with { source, target, box, servers async throws in
      #expect(target.canReceive(from: source) && source.canReceive(from: target))
      #expect(try await target.ensureReceived(Self.machine, from: source) == .advancing)
      try await Self.receive(from: source, at: target)
      #expect(Self.changes(servers[0]) == ["POST /1.0/images", "DELETE /1.0/images/d15c"])
      #expect(
        Self.changes(servers[1]) == [
          "POST /1.0/images", "POST /1.0/images", "POST /1.0/instances", "PATCH \(Self.path)",
          "DELETE /1.0/images/d15c",
        ])
      let sent = servers[1].requests.filter { $0.path.hasPrefix("/1.0/images?") && $0.method == "POST" }
      #expect(sent.map(\.body) == ["the disk", "the copy"])
      let made = try #require(servers[1].requests.first { $0.path.hasPrefix("/1.0/instances?") && $0.method == "POST" })
      let config = Self.config(of: made.body)
      #expect(
        config == [
          "user.vpsd.installation": Self.installation.text, "user.vpsd.machine": Self.machine.text,
          "user.vpsd.power": "cut", "user.vpsd.hostname": "web", "limits.memory": "512MiB",
          "security.privileged": "false",
        ])
      #expect(made.body.contains(#""devices":{"root":{"path":"/","pool":"ours","size":"7GiB","type":"disk"}}"#))
      #expect(made.body.contains(#""fingerprint":"d15c""#) && !made.body.contains("proxy"))
      #expect(box.source.withLock { $0.images.map(\.fingerprint) } == ["c0b1"])
      #expect(box.target.withLock { $0.images.map(\.fingerprint) } == ["c0b1"])
      #expect(try await target.endReceipt(of: Self.machine, from: source))
      #expect(try await target.power(of: Self.machine) == .off(.other))
      // Now the source may forget it, and the target keeps what it has.
      try await source.ensureLeft(Self.machine, to: target)
      #expect(box.source.withLock { $0.config == nil && $0.images.isEmpty })
      #expect(box.target.withLock { $0.config != nil && $0.images.count == 1 })
    }
  }

  @Test(
    "What fails is not tried again, and nothing of it stays",
    arguments: [
      ("No space left on device", 0, "The server's new host has no room for it."),
      // Of each file of it.
      ("No space left on device", 80_000, "The server's new host has no room for it."),
      ("something else", 0, "The server could not be moved."),
    ])
  func fails(_ trouble: String, _ files: Int, _ reason: String) async throws {
    let text = String(repeating: "tar: Cannot mkdir. ", count: files) + trouble
    try await Self.with(target: { $0.trouble = text }) { source, target, box, _ async throws in
      let refused = await Self.refusal { try await Self.receive(from: source, at: target) }
      #expect(refused?.kind == .rejected && refused?.customerReason == reason, "\(String(describing: refused))")
      #expect(try await !target.endReceipt(of: Self.machine, from: source))
      #expect(box.target.withLock { $0.config == nil && $0.images.isEmpty })
      #expect(box.source.withLock { $0.config == Self.marks && $0.images.map(\.fingerprint) == ["c0b1"] })
      #expect(try await target.power(of: Self.machine) == .absent)
    }
  }

  @Test("What came is compared with what was sent, and what a process that died has left is replaced, or removed")
  func others() async throws {
    let wrong = Place.Image(
      fingerprint: "bad", content: "the disk",
      properties: ["vpsd.installation": Self.installation.text, "vpsd.machine": Self.machine.text, "vpsd.copy": "x"])
    try await Self.with(target: { $0.known["the disk"] = wrong }) { source, target, box, _ async throws in
      let refused = await Self.refusal { try await Self.receive(from: source, at: target) }
      #expect(refused?.detail.contains("is not what was sent") == true, "\(String(describing: refused))")
      #expect(try await !target.endReceipt(of: Self.machine, from: source))
      #expect(box.target.withLock { $0.images.isEmpty })
    }
    var remnant = Self.marks
    remnant["user.vpsd.defined"] = nil
    try await Self.with(target: { [remnant] in $0.config = remnant }) { source, target, box, servers async throws in
      #expect(try await target.power(of: Self.machine) == .remnant)
      try await Self.receive(from: source, at: target)
      #expect(Self.changes(servers[1]).contains("DELETE \(Self.path)"))
      #expect(box.target.withLock { $0.config?["user.vpsd.defined"] } == "true")
    }
    let stray = Place.Image(
      fingerprint: "5712", content: "",
      properties: [
        "vpsd.installation": Self.installation.text, "vpsd.machine": Self.machine.text, "vpsd.transfer": "x",
      ])
    let foreign = Place.Image(
      fingerprint: "f0", content: "", properties: ["vpsd.installation": UUID().text, "vpsd.transfer": "x"])
    try await Self.with(source: { $0.images += [stray, foreign] }) { source, target, box, _ async throws in
      try await source.removeStrayTransfers()
      #expect(box.source.withLock { $0.images.map(\.fingerprint) } == ["c0b1", "f0"])
      #expect(try await source.copiesOnHost() == [Self.machine: [Self.copy]])
    }
  }

  @Test("One that runs is refused, and so is one that is nowhere, and two that are one Incus, or not of one kind")
  func refusals() async throws {
    try await Self.with(source: { $0.statusCode = 103 }) { source, target, _, servers async throws in
      #expect(await Self.refusal { try await Self.receive(from: source, at: target) }?.kind == .rejected)
      #expect(servers.allSatisfy { Self.changes($0).isEmpty })
    }
    try await Self.with(source: { $0.config = nil }) { source, target, _, _ async throws in
      #expect(await Self.refusal { try await Self.receive(from: source, at: target) }?.kind == .notFound)
    }
    for change: (inout Place) -> Void in [{ $0.certificate = "a" }, { $0.program = "lxd" }] {
      try await Self.with(target: change) { source, target, _, servers async throws in
        for attempt: () async throws -> Void in [
          { try await Self.receive(from: source, at: target) },
          { _ = try await target.endReceipt(of: Self.machine, from: source) },
          { try await source.ensureLeft(Self.machine, to: target) },
        ] {
          #expect(await Self.refusal(attempt)?.kind == .rejected)
        }
        // Once it is known, nobody is offered it.
        #expect(!target.canReceive(from: source))
        #expect(servers.allSatisfy { Self.changes($0).isEmpty })
      }
    }
  }
}

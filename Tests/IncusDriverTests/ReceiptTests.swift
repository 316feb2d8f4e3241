import Core
import Foundation
import Logging
import Synchronization
import TestSupport
import Testing

@testable import IncusDriver

/// A container that is off moves between two members, which are one server here.
@Suite("A container moves from member to member")
struct ReceiptTests {
  private static let installation = UUID()
  private static let machine = UUID()
  private static let path = "/1.0/instances/vps-\(machine.text)"

  /// What the server has of it.
  private struct Place: Sendable {
    var location = "m1"
    var home = "m1"
    var statusCode = 102
    /// Whether a move goes on, of a process that died.
    var isMoving = false
    var isThere = true
  }

  private static let copies =
    #"[{"fingerprint":"f00","size":1,"aliases":[],"properties":{"vpsd.installation":"\#(installation.text)","#
    + #""vpsd.machine":"\#(machine.text)","vpsd.copy":"\#(UUID().text)"}}]"#

  private static func with(
    _ place: Place, _ body: (_ source: IncusDriver, _ target: IncusDriver, ScriptedServer) async throws -> Void
  ) async throws {
    let state = Mutex(place)
    let script: ScriptedServer.Script = { request in
      let place = state.withLock { $0 }
      switch (request.method, String(request.path.prefix { $0 != "?" })) {
      case ("GET", Self.path) where !place.isThere: return .error(404, "Instance not found")
      case ("GET", "/1.0/images"): return .sync(Self.copies)
      case ("GET", Self.path):
        let fields: [String: JSONBody.Value] = [
          "name": .text("vps-\(Self.machine.text)"), "status_code": .number(place.statusCode),
          "location": .text(place.location), "devices": .object([:]),
          "config": .texts([
            "user.vpsd.installation": Self.installation.text, "user.vpsd.machine": Self.machine.text,
            "user.vpsd.defined": "true", "user.vpsd.member": place.home,
          ]),
        ]
        return .sync((try? String(decoding: JSONBody(fields).bytes, as: UTF8.self)) ?? "")
      case ("POST", Self.path):
        state.withLock { $0.location = "m2" }
        return .operation("7")
      case ("PATCH", Self.path):
        state.withLock { $0.home = request.body.contains("m1") ? "m1" : "m2" }
        return .sync("{}")
      case ("GET", "/1.0/operations"):
        guard place.isMoving else { return .sync("{}") }
        return .sync(
          #"{"running":[{"id":"9","status_code":103,"err":"","resources":{"instances":["\#(Self.path)"]},"metadata":null}]}"#
        )
      case ("GET", let path) where path.hasPrefix("/1.0/operations/"): return .ended("7")
      case ("GET", _): return .sync("[]")
      default: return .operation("7")
      }
    }
    try await ScriptedServer.with(script) { server, endpoint async throws in
      let cluster = IncusCluster(
        endpoints: IncusEndpoints([endpoint]), project: "default", installation: installation, clock: SystemClock(),
        dialect: .incus)
      let hosts = ["m1", "m2"].map { name in
        var configuration = IncusDriver.Configuration(installation: installation)
        configuration.member = name
        return IncusDriver(
          configuration: configuration, cluster: cluster, clock: SystemClock(), logger: Logger(label: "incus"))
      }
      try await body(hosts[0], hosts[1], server)
    }
  }

  private func changes(_ server: ScriptedServer) -> [String] {
    server.requests.filter { $0.method != "GET" }.map { "\($0.method) \($0.path.prefix { $0 != "&" })" }
  }

  @Test("It moves with one call, is the source's until it has come, and the source then has nothing to remove")
  func moves() async throws {
    try await Self.with(Place()) { source, target, server async throws in
      #expect(target.canReceive(from: source) && !target.canReceive(from: target))
      #expect(try await target.power(of: Self.machine) == .absent)
      #expect(try await target.ensureReceived(Self.machine, from: source) == .underWay)
      while try await target.ensureReceived(Self.machine, from: source) == .underWay {}
      let moved = ["POST \(Self.path)?target=m2", "PATCH \(Self.path)?project=default"]
      #expect(changes(server) == moved)
      #expect(try await source.power(of: Self.machine) == .absent)
      try await source.ensureAbsent(Self.machine)
      #expect(changes(server) == moved)
      #expect(try await target.power(of: Self.machine) == .off(.other))
      #expect(try await target.endReceipt(of: Self.machine, from: source))
    }
  }

  @Test("One that runs stays, and so does one that a process that died is still moving; what has arrived is taken")
  func others() async throws {
    try await Self.with(Place(statusCode: 103)) { source, target, server async throws in
      do {
        _ = try await target.ensureReceived(Self.machine, from: source)
        Issue.record("it was moved")
      } catch let error as DriverError {
        #expect(error.kind == .rejected)
      }
      #expect(changes(server).isEmpty)
    }
    try await Self.with(Place(isMoving: true)) { source, target, server async throws in
      #expect(try await target.ensureReceived(Self.machine, from: source) == .underWay)
      do {
        _ = try await target.endReceipt(of: Self.machine, from: source)
        Issue.record("nobody knows where it will be")
      } catch let error as DriverError {
        #expect(error.kind == .busy)
      }
      #expect(changes(server).isEmpty)
    }
    try await Self.with(Place(location: "m2")) { source, target, server async throws in
      #expect(try await target.ensureReceived(Self.machine, from: source) == .done)
      #expect(changes(server) == ["PATCH \(Self.path)?project=default"])
    }
    try await Self.with(Place()) { source, target, server async throws in
      #expect(try await !target.endReceipt(of: Self.machine, from: source))
      #expect(changes(server).isEmpty)
    }
  }

  @Test("A host that is to have nothing of it removes neither the one container nor its copies: it says whose it is")
  func left() async throws {
    try await Self.with(Place(location: "m2", home: "m2")) { source, target, server async throws in
      try await target.ensureLeft(Self.machine, to: source)
      #expect(changes(server) == ["PATCH \(Self.path)?project=default"])
      try await target.ensureLeft(Self.machine, to: source)
      #expect(try await source.power(of: Self.machine) == .off(.other))
      #expect(changes(server).count == 1)
    }
    try await Self.with(Place(isThere: false)) { source, target, server async throws in
      #expect(try await source.observe().powers == [Self.machine: .remnant])
      try await source.ensureLeft(Self.machine, to: target)
      #expect(changes(server).isEmpty)
    }
    try await Self.with(Place(isMoving: true)) { source, target, server async throws in
      do {
        try await target.ensureLeft(Self.machine, to: source)
        Issue.record("nobody knows where it will be")
      } catch let error as DriverError {
        #expect(error.kind == .busy)
      }
      #expect(changes(server).isEmpty)
    }
  }

  @Test("One that arrives after its move was given up stays its source's")
  func late() async throws {
    try await Self.with(Place()) { source, target, server async throws in
      #expect(try await target.ensureReceived(Self.machine, from: source) == .underWay)
      while (try? source.giveUpReceipt(of: Self.machine)) == nil { await Task.yield() }
      #expect(changes(server) == ["POST \(Self.path)?target=m2"])
      #expect(try await source.power(of: Self.machine) == .off(.other))
      #expect(try await target.power(of: Self.machine) == .absent)
    }
  }
}

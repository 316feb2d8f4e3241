import Core
import Foundation
import HostImages
import Logging
import Synchronization
import TestSupport
import Testing

@testable import IncusDriver

/// What it says to the server, in which order, and what it leaves alone.
@Suite("The driver of Incus")
struct IncusDriverTests {
  private static let installation = UUID()
  private static let machine = UUID()
  private static let path = "/1.0/instances/vps-\(machine.text)"

  /// - Parameter config: Of the machine's instance; nil where there is none.
  private static func with(
    statusCode: Int = 102, _ config: [String: String]?, operations: String = "{}",
    _ body: (IncusDriver, ScriptedServer) async throws -> Void
  ) async throws {
    let script: ScriptedServer.Script = { request in
      let path = String(request.path.prefix { $0 != "?" })
      switch (request.method, path) {
      case ("GET", Self.path):
        guard let config else { return .error(404, "Instance not found") }
        let fields: [String: JSONBody.Value] = [
          "name": .text("vps-\(Self.machine.text)"), "status_code": .number(statusCode), "location": .text("none"),
          "config": .texts(config), "devices": .object([:]),
        ]
        return .sync((try? String(decoding: JSONBody(fields).bytes, as: UTF8.self)) ?? "")
      case ("GET", "/1.0/operations"): return .sync(operations)
      case ("GET", "/1.0/images"):
        return .sync(
          #"[{"fingerprint":"f00","size":1,"type":"container","aliases":[{"name":"debian-12/1"}],"properties":{}}]"#)
      case ("GET", let path) where path.hasPrefix("/1.0/operations/"): return .ended("7")
      case ("GET", _): return .sync("[]")
      default: return .operation("7")
      }
    }
    try await ScriptedServer.with(script) { server, endpoint in
      try await body(IncusDriver(IncusDriver.Configuration(installation: installation), at: [endpoint]), server)
    }
  }

  private static func mark(_ more: [String: String] = [:], installation: UUID = installation) -> [String: String] {
    ["user.vpsd.installation": installation.text, "user.vpsd.machine": machine.text].merging(more) { $1 }
  }

  /// What was changed at the server, as method and path without its query.
  private func changes(_ server: ScriptedServer) -> [String] {
    server.requests.filter { $0.method != "GET" }.map { "\($0.method) \($0.path.prefix { $0 != "?" })" }
  }

  @Test("An instance of another installation is none, and is left alone")
  func foreign() async throws {
    try await Self.with(statusCode: 103, Self.mark(["user.vpsd.defined": "true"], installation: UUID())) {
      driver, server async throws in
      #expect(try await driver.power(of: Self.machine) == .absent)
      try await driver.ensureAbsent(Self.machine)
      await #expect(throws: DriverError.self) { try await driver.powerOff(Self.machine) }
      #expect(changes(server).isEmpty)
    }
  }

  @Test("What a create left that did not end is made again, but for one that still goes on")
  func remnant() async throws {
    try await Self.with(Self.mark()) { driver, server async throws in
      #expect(try await driver.power(of: Self.machine) == .remnant)
      // Here it stays, whatever is done.
      do {
        try await driver.ensureDefined(try InstanceTests.specification(Self.machine))
      } catch let error as DriverError {
        Issue.record("\(error.detail)")
      }
      #expect(changes(server) == ["DELETE \(Self.path)", "POST /1.0/instances", "PATCH \(Self.path)"])
    }
    let underWay =
      #"{"running":[{"id":"9","status_code":103,"err":"","resources":{"instances":["\#(Self.path)?project=x"]},"#
      + #""metadata":null}]}"#
    try await Self.with(Self.mark(), operations: underWay) { driver, server async throws in
      do {
        try await driver.ensureDefined(try InstanceTests.specification(Self.machine))
        Issue.record("it was made again")
      } catch let error as DriverError {
        #expect(error.kind == .busy)
      }
      #expect(changes(server).isEmpty)
    }
  }

  /// An Incus that takes an image in.
  private static func importing() -> ScriptedServer.Script {
    let state = Mutex((isSent: false, isNamed: false))
    return { request in
      state.withLock { state in
        switch (request.method, String(request.path.prefix { $0 != "?" })) {
        case ("POST", "/1.0/images"):
          state.isSent = request.body == "a container"
          return .operation("7")
        case ("POST", "/1.0/images/aliases"):
          state.isNamed = request.body == #"{"name":"debian-12/1","target":"f00"}"#
          return .sync("{}")
        case ("GET", "/1.0/images"):
          let aliases = state.isNamed ? #"[{"name":"debian-12/1"}]"# : "[]"
          let properties = #"{"vpsd.name":"debian-12","vpsd.version":"1"}"#
          return .sync(
            state.isSent ? #"[{"fingerprint":"f00","size":1,"aliases":\#(aliases),"properties":\#(properties)}]"# : "[]"
          )
        default: return .ended("7")
        }
      }
    }
  }

  @Test("The store's image is sent once and named; of what neither has, an order is refused from memory")
  func images() async throws {
    try await withTemporaryFolder { folder in
      let version = folder.appendingPathComponent("debian-12/1")
      try FileManager.default.createDirectory(at: version, withIntermediateDirectories: true)
      for (name, text) in [("disk.qcow2", "a disk"), ("container.tar.zst", "a container")] {
        try text.write(to: version.appendingPathComponent(name), atomically: true, encoding: .utf8)
      }
      let link = folder.appendingPathComponent("debian-12/current").path
      try FileManager.default.createSymbolicLink(atPath: link, withDestinationPath: "1")
      try await ScriptedServer.with(Self.importing()) { server, endpoint in
        var configuration = IncusDriver.Configuration(installation: UUID())
        configuration.images = ImageStore(directory: folder.path)
        let driver = IncusDriver(configuration, at: [endpoint])
        #expect(try await driver.prepareImage("debian-12", storageGiB: 5) == .underWay)
        while try await driver.prepareImage("debian-12", storageGiB: 5) == .underWay {}
        #expect(try await driver.prepareImage("debian-12", storageGiB: 5) == .ready(version: "1"))
        #expect(changes(server) == ["POST /1.0/images", "POST /1.0/images/aliases"])
        #expect(driver.knownAbsence(ofImage: "arch") == nil)
        try await driver.lookAtImages()
        #expect(driver.knownAbsence(ofImage: "debian-12") == nil)
        #expect(driver.knownAbsence(ofImage: "arch") == .unavailable(for: .seconds(30)))
      }
    }
  }

  @Test("That the power is taken away is written down before, and that it was given afterwards")
  func powerMarks() async throws {
    try await Self.with(statusCode: 103, Self.mark(["user.vpsd.defined": "true"])) { driver, server async throws in
      try await driver.powerOff(Self.machine)
      #expect(changes(server) == ["PATCH \(Self.path)", "PUT \(Self.path)/state"])
      #expect(server.requests.contains { $0.body == #"{"config":{"user.vpsd.power":"cut"}}"# })
    }
    try await Self.with(statusCode: 102, Self.mark(["user.vpsd.defined": "true"])) { driver, server async throws in
      try await driver.start(Self.machine)
      #expect(changes(server) == ["PUT \(Self.path)/state", "PATCH \(Self.path)"])
      #expect(server.requests.contains { $0.body == #"{"config":{"user.vpsd.power":"on"}}"# })
    }
  }

  @Test("A machine whose disk was removed does not start, and one that runs keeps its disk")
  func disk() async throws {
    let without = Self.mark(["user.vpsd.defined": "true", "user.vpsd.disk": "absent"])
    try await Self.with(without) { driver, server async throws in
      do {
        try await driver.start(Self.machine)
        Issue.record("it was started")
      } catch let error as DriverError {
        #expect(error.kind == .notFound)
      }
      #expect(changes(server).isEmpty)
    }
    try await Self.with(statusCode: 103, Self.mark(["user.vpsd.defined": "true"])) { driver, server async throws in
      do {
        try await driver.ensureDiskAbsent(Self.machine)
        Issue.record("its disk was removed")
      } catch let error as DriverError {
        #expect(error.kind == .rejected)
      }
      #expect(changes(server).isEmpty)
    }
  }
}

import Core
import Foundation
import Logging
import Synchronization
import TestSupport
import Testing

@testable import IncusDriver

/// A container of a member that is lost, which answers nothing, goes to another one. Incus is one server here: what it answers is what
/// its sources say.
@Suite("A container of a lost member is another one's, where every member reaches its disk")
struct InheritanceTests {
  private static let installation = UUID()
  private static let machine = UUID()
  private static let name = "vps-\(machine.text)"
  private static let path = "/1.0/instances/\(name)"

  private struct Place: Sendable {
    var driver = "ceph"
    var location = "m1"
    var home = "m1"
    /// Whether the member of the container answers.
    var isInReach = false
    var isThere = true
    var isMoving = false
    var isRefused = false
  }

  private static func whole(_ place: Place) -> String {
    let fields: [String: JSONBody.Value] = [
      "name": .text(name), "status_code": .number(102), "location": .text(place.location), "devices": .object([:]),
      "config": .texts([
        "user.vpsd.installation": installation.text, "user.vpsd.machine": machine.text, "user.vpsd.defined": "true",
        "user.vpsd.member": place.home,
      ]),
    ]
    return (try? String(decoding: JSONBody(fields).bytes, as: UTF8.self)) ?? ""
  }

  private static func answer(
    _ request: ScriptedServer.Request, _ state: borrowing Mutex<Place>
  ) -> ScriptedServer.Answer {
    let place = state.withLock { $0 }
    switch (request.method, String(request.path.prefix { $0 != "?" })) {
    case ("GET", "/1.0"):
      return .sync(
        #"{"auth":"trusted","api_extensions":[],"environment":{"storage_supported_drivers":["#
          + #"{"Name":"btrfs","Version":"6","Remote":false},{"Name":"ceph","Version":"17","Remote":true}]}}"#)
    case ("GET", "/1.0/storage-pools/default"): return .sync(#"{"driver":"\#(place.driver)"}"#)
    case ("GET", "/1.0/instances") where !place.isThere: return .sync("[]")
    case ("GET", "/1.0/instances") where place.isInReach: return .sync("[\(whole(place))]")
    case ("GET", "/1.0/instances"):
      return .sync(
        #"[{"name":"\#(name)","status_code":112,"location":"\#(place.location)","config":null,"devices":null}]"#)
    case ("GET", path): return place.isInReach ? .sync(whole(place)) : .error(503, "member is offline")
    case ("POST", path) where place.isRefused: return .error(400, "Instance must be stopped to be moved statelessly")
    case ("POST", path):
      state.withLock { ($0.location, $0.isInReach) = ("m2", true) }
      return .operation("7")
    case ("PATCH", path):
      state.withLock { $0.home = request.body.contains("m1") ? "m1" : "m2" }
      return .sync("{}")
    case ("GET", "/1.0/operations"):
      guard place.isMoving else { return .sync("{}") }
      return .sync(
        #"{"running":[{"id":"9","status_code":103,"err":"","resources":{"instances":["\#(path)"]},"metadata":null}]}"#)
    case ("GET", let path) where path.hasPrefix("/1.0/operations/"): return .ended("7")
    default: return .sync("[]")
    }
  }

  private static func with(
    _ place: Place, sharesStorage: Bool = true,
    _ body: (_ lost: IncusDriver, _ heir: IncusDriver, ScriptedServer) async throws -> Void
  ) async throws {
    let state = Mutex(place)
    try await ScriptedServer.with({ answer($0, state) }) { server, endpoint async throws in
      let cluster = IncusCluster(
        endpoints: IncusEndpoints([endpoint]), project: "default", installation: installation, clock: SystemClock(),
        dialect: .incus)
      let hosts = ["m1", "m2"].map { name in
        var configuration = IncusDriver.Configuration(installation: installation)
        configuration.member = name
        configuration.sharesStorage = sharesStorage
        return IncusDriver(
          configuration: configuration, cluster: cluster, clock: SystemClock(), logger: Logger(label: "incus"))
      }
      try await body(hosts[0], hosts[1], server)
    }
  }

  private func changes(_ server: ScriptedServer) -> [String] {
    server.requests.filter { $0.method != "GET" }.map { "\($0.method) \($0.path.prefix { $0 != "&" }) \($0.body)" }
  }

  private func isRefused(_ kind: DriverError.Kind, _ body: () async throws -> Void) async {
    let error = await #expect(throws: DriverError.self) { try await body() }
    #expect(error?.kind == kind, "\(String(describing: error))")
  }

  @Test("It is moved by one call, whose body names nothing new, and marked; again, nothing is done")
  func relinks() async throws {
    try await Self.with(Place()) { lost, heir, server async throws in
      #expect(!heir.canInherit(from: lost))
      #expect(try await heir.storageFault() == nil)
      #expect(heir.canInherit(from: lost) && !heir.canInherit(from: heir))
      for _ in 1...2 { try await heir.ensureInherited(Self.machine) }
      let expected = try [
        "POST \(Self.path)?target=m2 " + text(["name": .text(Self.name), "migration": .flag(true)]),
        "PATCH \(Self.path)?project=default " + text(["config": .texts(["user.vpsd.member": "m2"])]),
      ]
      #expect(changes(server) == expected)
      #expect(try await heir.power(of: Self.machine) == .off(.other))
      // The member that comes back has nothing to remove: the one container is the other's.
      try await lost.ensureLeft(Self.machine, to: heir)
      #expect(changes(server) == expected)
      #expect(try await lost.power(of: Self.machine) == .absent)
    }
  }

  private func text(_ fields: [String: JSONBody.Value]) throws -> String {
    String(decoding: try JSONBody(fields).bytes, as: UTF8.self)
  }

  @Test("One whose member answers, or that is here already, is only marked, and one that was never made is left alone")
  func marks() async throws {
    for location in ["m1", "m2"] {
      try await Self.with(Place(location: location, isInReach: true)) { lost, heir, server async throws in
        try await heir.ensureInherited(Self.machine)
        #expect(changes(server).count == 1 && changes(server).allSatisfy { $0.hasPrefix("PATCH") })
      }
    }
    try await Self.with(Place(isThere: false)) { lost, heir, server async throws in
      try await heir.ensureInherited(Self.machine)
      #expect(changes(server).isEmpty)
    }
  }

  @Test("What Incus refuses is tried again later, and one that is moving already is waited for")
  func refused() async throws {
    try await Self.with(Place(isRefused: true)) { lost, heir, server async throws in
      await isRefused(.busy) { try await heir.ensureInherited(Self.machine) }
      #expect(changes(server).count == 1)
    }
    try await Self.with(Place(isMoving: true)) { lost, heir, server async throws in
      await isRefused(.busy) { try await heir.ensureInherited(Self.machine) }
      #expect(changes(server).isEmpty)
    }
  }

  @Test(
    "The pool of a real cluster whose members have their own is told from a shared one",
    .enabled(if: ProcessInfo.processInfo.environment["VPSD_TEST_INCUS_MEMBER"] != nil))
  func realPool() async throws {
    try await RealServer.with { server in
      let hosts = [server.driver, try #require(server.neighbour)].map { host in
        var configuration = host.configuration
        configuration.sharesStorage = true
        return IncusDriver(
          configuration: configuration, cluster: server.driver.cluster, clock: SystemClock(),
          logger: Logger(label: "incus"))
      }
      let fault = try #require(try await hosts[0].storageFault())
      #expect(fault.contains("whose disks only their own member reaches"), "\(fault)")
      #expect(try await hosts[0].faults().contains(fault) && !hosts[0].canInherit(from: hosts[1]))
    }
  }

  @Test("Disks in a pool that each member has of its own are nobody else's, whatever is configured: nothing is called")
  func localPool() async throws {
    try await Self.with(Place(driver: "btrfs")) { lost, heir, server async throws in
      #expect(
        try await heir.storageFault()
          == "shared_storage: the storage pool default is of the driver btrfs, whose disks only their own member reaches"
      )
      #expect(!heir.canInherit(from: lost))
      await isRefused(.rejected) { try await heir.ensureInherited(Self.machine) }
      #expect(changes(server).isEmpty)
    }
    try await Self.with(Place(), sharesStorage: false) { lost, heir, server async throws in
      #expect(try await heir.storageFault() == nil && !heir.canInherit(from: lost))
      await isRefused(.rejected) { try await heir.ensureInherited(Self.machine) }
      #expect(changes(server).isEmpty)
    }
  }
}

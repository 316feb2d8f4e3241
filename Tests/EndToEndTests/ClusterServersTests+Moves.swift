import APIClient
import Foundation
import TestSupport
import Testing

extension ClusterServersTests {
  private static let isLong = ProcessInfo.processInfo.environment["VPSD_LONG_TESTS"] != nil
  private static let seed = ProcessInfo.processInfo.environment["VPSD_SEED"].flatMap { UInt64($0) } ?? 1

  /// How far a move has come, as the cluster tells.
  fileprivate enum Stage: Int, CaseIterable, Comparable {
    /// Nothing has happened yet that could be seen.
    case ordered
    /// The container is off.
    case off
    /// Incus brings it over.
    case underWay
    /// It is there, and still its old host's.
    case brought
    /// It is its new host's, which the database learns at this moment.
    case taken
    /// It runs there.
    case started

    static func < (left: Stage, right: Stage) -> Bool { left.rawValue < right.rawValue }
  }

  /// The same numbers for the same seed.
  fileprivate struct Chance {
    var state: UInt64

    mutating func milliseconds(below limit: UInt64) -> Duration {
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return .milliseconds(Int64((state >> 33) % limit))
    }
  }

  private struct Told<Metadata: Decodable>: Decodable { let metadata: Metadata? }
  fileprivate struct Container: Decodable {
    let statusCode: Int
    let location: String
    let config: [String: String]

    var home: String? { config["user.vpsd.member"] }
  }
  private struct Work: Decodable {
    let description: String
    let statusCode: Int
  }

  /// Nil where there is no such thing. A client of its own would take longer than what is looked for.
  private static func told<Metadata: Decodable>(_ path: String, as: Metadata.Type) throws -> Metadata? {
    let text = try Command.output(
      "/usr/bin/curl", ["--silent", "--unix-socket", "\(folder)/unix.socket", "http://incus/1.0/\(path)"])
    let decoder = JSONDecoder()
    decoder.keyDecodingStrategy = .convertFromSnakeCase
    return try? decoder.decode(Told<Metadata>.self, from: Data(text.utf8)).metadata
  }

  /// What goes on in the cluster, by its description.
  fileprivate static func work() throws -> [String] {
    let byStatus = try told("operations?recursion=1", as: [String: [Work]].self) ?? [:]
    return byStatus.values.joined().filter { $0.statusCode < 200 }.map(\.description)
  }

  fileprivate static func container(of server: APIClient.Server) throws -> Container? {
    try told("instances/vps-\(server.uuid)", as: Container.self)
  }

  fileprivate static func stage(of server: APIClient.Server, from member: String) throws -> Stage {
    // In the middle of a move there may be none of its name.
    guard let container = try container(of: server) else { return .underWay }
    if container.home != member { return container.statusCode == 103 ? .started : .taken }
    if container.location != member { return .brought }
    if try work().contains(where: { $0.contains("Migrating") }) { return .underWay }
    return container.statusCode == 102 ? .off : .ordered
  }

  @Test(
    "A service that is killed at any moment of a move leaves the server on one member, with its files and its address, and goes on to the end",
    .enabled(if: isLong, "VPSD_LONG_TESTS"))
  func killedWhileMoving() async throws {
    try await Self.with { installation in
      let moving = try await installation.order("moving")
      let resident = try await installation.order("resident")
      for server in [moving, resident] { try await installation.answers(server) }
      let address = try await installation.client.server(moving.id).ipAddress
      var chance = Chance(state: Self.seed)
      for (number, stage) in (Stage.allCases + Stage.allCases).enumerated() {
        let from = try #require(try Self.container(of: moving)?.location)
        let endpoint = Endpoint(address: try #require(address), port: 22)
        _ = try installation.login.run("echo \(number) >/root/kept; sync", on: endpoint)
        _ = try installation.service.operate(["host", "drain", "us-west/\(from)", "--move"])
        try await installation.kill(at: stage, ofMove: moving, from: from, &chance)
        // In every second round what Incus was doing has ended, and is forgotten, before anybody asks again.
        if number >= Stage.allCases.count {
          _ = try await eventually("the end of what Incus does", withinSeconds: 180) {
            try Self.work().isEmpty ? true : nil
          }
        }
        try await installation.service.start()
        try await installation.hasMoved(moving, from: from, count: number + 1)
        expectEqual(try await installation.client.server(moving.id).ipAddress, address)
        expectEqual(try installation.login.run("cat /root/kept", on: endpoint), "\(number)")
        _ = try installation.service.operate(["host", "undrain", "us-west/\(from)"])
      }
      try await installation.answers(resident)
      try installation.agrees()
      try await installation.endsWithNothing()
    }
  }
}

extension ClusterServersTests.Installation {
  private struct Host: Decodable {
    struct Reserved: Decodable { let vcpus: Int }
    let name: String
    let reserved: Reserved
  }
  private struct Page: Decodable {
    struct Operation: Decodable {
      let kind: String
      let status: String
    }
    let results: [Operation]
  }

  /// Once the move has come so far, and a moment later.
  fileprivate func kill(
    at stage: ClusterServersTests.Stage, ofMove server: APIClient.Server, from member: String,
    _ chance: inout ClusterServersTests.Chance
  ) async throws {
    let deadline = ContinuousClock.now + .seconds(120)
    while try ClusterServersTests.stage(of: server, from: member) < stage {
      guard ContinuousClock.now < deadline else { throw NotInTime(description: "the move was never \(stage)") }
    }
    let pause = chance.milliseconds(below: stage == .brought || stage == .taken ? 40 : 600)
    try await Task.sleep(for: pause)
    try service.kill()
    let reached = try ClusterServersTests.stage(of: server, from: member)
    print("killed \(pause) after it was seen to be \(stage); then it was \(reached)")
  }

  /// It is on one other member, and nothing of the move is left but its line in the history.
  fileprivate func hasMoved(_ server: APIClient.Server, from member: String, count: Int) async throws {
    let moves = try await eventually("the end of the move", withinSeconds: 180) {
      let text = try await client.send("GET", "/servers/\(server.id)/operations/?page_size=100").text
      let moves = try JSONDecoder().decode(Page.self, from: Data(text.utf8)).results.filter { $0.kind == "move" }
      return moves.count == count && moves.allSatisfy { ["succeeded", "failed"].contains($0.status) } ? moves : nil
    }
    #expect(moves.allSatisfy { $0.status == "succeeded" }, "\(moves)")
    try await answers(server)
    let container = try #require(try ClusterServersTests.container(of: server))
    #expect(container.location != member && container.home == container.location)
    let names = Set(try await client.servers().map { "vps-\($0.uuid)" })
    expectEqual(try Set(ClusterServersTests.instances().keys), names)
    // What the one host removes and the other one gives back, a look of each has to come to.
    _ = try await eventually("one share of each server", withinSeconds: 180) {
      let text = try service.operate(["host", "list", "--json"])
      // Beside them may be a warning.
      let hosts = try text.split(separator: "\n").filter { $0.hasPrefix("{") }.map {
        try JSONDecoder().decode(Host.self, from: Data($0.utf8))
      }
      .filter { $0.name.hasPrefix("us-west/") }
      return try await hosts.map(\.reserved.vcpus).reduce(0, +) == client.servers().count ? true : nil
    }
    #expect(try !ClusterServersTests.work().contains { $0.contains("Migrating") })
    try agrees()
  }
}

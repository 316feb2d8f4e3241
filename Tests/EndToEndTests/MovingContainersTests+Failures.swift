import APIClient
import Foundation
import TestSupport
import Testing

extension MovingContainersTests {
  private static let isLong = ProcessInfo.processInfo.environment["VPSD_LONG_TESTS"] != nil

  /// How far a move has come, as the two tell.
  fileprivate enum Stage: Int, CaseIterable, Comparable {
    /// Nothing has happened yet that could be seen.
    case ordered
    /// The container is off.
    case off
    /// An image is being made of its disk.
    case packing
    case packed
    /// The image is at the other one.
    case sent
    /// So is a container, which nobody can start.
    case made
    /// It is whole there, which the database learns at this moment.
    case whole
    case started

    static func < (left: Stage, right: Stage) -> Bool { left.rawValue < right.rawValue }
  }

  fileprivate static func stage(of server: APIClient.Server, from source: Place, to target: Place) throws -> Stage {
    if let container = try target.container(of: server) {
      guard container.isDefined else { return .made }
      return container.statusCode == 103 ? .started : .whole
    }
    // Its copies come after it.
    if try target.images(of: server).contains(where: \.isTransfer) { return .sent }
    if try source.images(of: server).contains(where: \.isTransfer) { return .packed }
    guard try source.container(of: server)?.statusCode == 102 else { return .ordered }
    return try source.isAtWork() ? .packing : .off
  }

  private static func reach(
    _ stage: Stage, of server: APIClient.Server, from source: Place, to target: Place
  ) async throws {
    let deadline = ContinuousClock.now + .seconds(120)
    while try Self.stage(of: server, from: source, to: target) < stage {
      guard ContinuousClock.now < deadline else { throw NotInTime(description: "the move was never \(stage)") }
    }
  }

  @Test(
    "A service that is killed at any moment of a move leaves one server with all it had, and goes on to the end",
    .enabled(if: isLong, "VPSD_LONG_TESTS"))
  func killedWhileMoving() async throws {
    try await Self.with { installation in
      let server = try await installation.server("moving", with: "0")
      let backup = try await installation.client.createBackup(.init(serverId: server.id, description: "by hand"))
      try await installation.completed(backup, in: "backups")
      var (location, others) = (("us-west", Place.west), ("us-east", Place.east))
      for (number, stage) in (Stage.allCases + Stage.allCases).enumerated() {
        let endpoint = try await active(server.id, installation.client)
        _ = try installation.login.run("echo \(number) > /root/kept; sync", on: endpoint)
        expectEqual(try await installation.move(server, to: others.0).status, 200)
        try await Self.reach(stage, of: server, from: location.1, to: others.1)
        // In the second round a moment later.
        let pause = number < Stage.allCases.count ? 0 : 60 * (number % 4)
        try await Task.sleep(for: .milliseconds(pause))
        try installation.service.kill()
        let reached = try Self.stage(of: server, from: location.1, to: others.1)
        print("killed \(pause) ms after it was seen to be \(stage); then it was \(reached)")
        // Where it may be on, it is on once.
        let on = try [Place.west, .east].filter { try $0.container(of: server)?.statusCode == 103 }
        #expect(on.count <= 1)
        try await installation.service.start()
        let move = try await installation.ends(server, move: number + 1)
        #expect(move.status == "succeeded", "\(move)")
        try await installation.has("\(number)", server, at: others.0)
        try await installation.isAlone(server, at: others.0, copies: 1)
        swap(&location, &others)
      }
      try await installation.endsWithNothing()
    }
  }

  @Test("Without room in the pool there it stays where it is, and runs again; with room it goes")
  func fullPool() async throws {
    try await Self.with { installation in
      let server = try await installation.server("moving", with: "kept")
      try await Place.east.whileFull {
        expectEqual(try await installation.move(server, to: "us-east").status, 200)
        let move = try await installation.ends(server, move: 1)
        #expect(move.status == "failed" && move.reason == "The server's new host has no room for it.", "\(move)")
        let now = try await installation.has("kept", server, at: "us-west")
        #expect(now.ipAddress == server.ipAddress)
        try await installation.isAlone(server, at: "us-west", copies: 0)
      }
      try await installation.isOrdered(toMove: server, to: "us-east")
      expectEqual(try await installation.ends(server, move: 2).status, "succeeded")
      try await installation.has("kept", server, at: "us-east")
      try await installation.isAlone(server, at: "us-east", copies: 0)
      try await installation.endsWithNothing()
    }
  }

  @Test(
    "Where the other Incus dies or hangs in the middle it runs where it was within minutes, and nothing stays there",
    .enabled(if: isLong, "VPSD_LONG_TESTS"), arguments: [("kill", "start"), ("freeze", "thaw")])
  func otherDies(_ end: String, _ back: String) async throws {
    try await Self.with { installation in
      let server = try await installation.server("moving", with: "kept")
      for (number, stage) in [Stage.packing, .packed, .sent, .made].enumerated() {
        try await installation.isOrdered(toMove: server, to: "us-east")
        try await Self.reach(stage, of: server, from: .west, to: .east)
        try Place.east.member(end)
        let began = ContinuousClock.now
        do {
          let move = try await installation.ends(server, move: number + 1)
          #expect(move.status == "failed", "\(move)")
          let now = try await installation.has("kept", server, at: "us-west")
          #expect(now.ipAddress == server.ipAddress)
          print("\(end) when it was \(stage): on again after \(ContinuousClock.now - began); \(move.reason ?? "")")
        } catch {
          try? Place.east.member(back)
          throw error
        }
        try Place.east.member(back)
        try await installation.isAlone(server, at: "us-west", copies: 0)
      }
      try await installation.isOrdered(toMove: server, to: "us-east")
      expectEqual(try await installation.ends(server, move: 5).status, "succeeded")
      try await installation.has("kept", server, at: "us-east")
      try await installation.endsWithNothing()
    }
  }

  @Test("The source's daemon dies in the middle: once it is back the server runs on one of the two, with what it had")
  func sourceDies() async throws {
    try await Self.with { installation in
      let server = try await installation.server("moving", with: "kept")
      expectEqual(try await installation.move(server, to: "us-east").status, 200)
      try await Self.reach(.packing, of: server, from: .west, to: .east)
      try Place.west.member("kill")
      try await Task.sleep(for: .seconds(2))
      try Place.west.member("start")
      let move = try await installation.ends(server, move: 1)
      let location = move.status == "succeeded" ? "us-east" : "us-west"
      print("the source's daemon was killed: the move \(move.status), \(move.reason ?? "without a reason")")
      try await installation.has("kept", server, at: location)
      try await installation.isAlone(server, at: location, copies: 0)
      try await installation.endsWithNothing()
    }
  }
}

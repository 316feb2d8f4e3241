import Core
import Foundation
import Logging
import NIOHTTP1
import Synchronization
import TestSupport
import Testing

@testable import IncusDriver

/// Two services on the cluster that Tests/Hosts/incus --members 3 runs, of which one hung.
@Suite(
  "A real cluster heeds one term", .serialized,
  .enabled(if: ProcessInfo.processInfo.environment["VPSD_TEST_INCUS_MEMBERS"] == "3"))
struct RealTermTests {
  private static let isLong = ProcessInfo.processInfo.environment["VPSD_LONG_TESTS"] != nil
  private static let installation = UUID()
  private static let members = ["m1", "m2", "m3"]

  private struct Cluster {
    let cluster: IncusCluster
    /// By way of each member alone.
    let ways: [IncusClient]

    /// - Parameter operator: Whether it may change anything without a term.
    init(operator isOperator: Bool = false) throws {
      let folder = try #require(RealServer.folder)
      let endpoints = IncusEndpoints(
        try (1...3).map { number in
          try .https(
            host: "127.0.1.\(number)", port: 8443, certificate: "\(folder)/client.crt", key: "\(folder)/client.key",
            serverCertificate: "\(folder)/server.crt")
        })
      cluster = IncusCluster(
        endpoints: endpoints, project: "default", installation: RealTermTests.installation,
        sharedAs: isOperator ? nil : "eu-1", clock: SystemClock(), dialect: .incus)
      ways = endpoints.each.map { IncusClient(endpoints: $0, project: "default") }
    }

    /// By way of one member, with what this service acts by now.
    func way(_ number: Int) -> IncusClient {
      let acting = cluster.acting
      return IncusClient(endpoints: acting.endpoints.each[number], project: "default", access: acting.access)
    }

    /// Writes into an instance; nil where that was done.
    func failure(
      by way: Int, on member: String, _ text: String = "seen", within limit: Duration = .seconds(10)
    ) async -> IncusError? {
      do {
        try await self.way(way).finish(
          .init(
            method: .PATCH, path: IncusPath("instances", "on-\(member)"),
            body: JSONBody(["description": .text(text)]).bytes, deadline: limit), within: limit)
        return nil
      } catch {
        return error as? IncusError ?? .unreadable("\(error)")
      }
    }

    func term(_ number: Int64, isHeld: @escaping @Sendable () -> Bool = { true }) throws -> IncusTerm {
      let term = IncusTerm(
        number, of: cluster, clock: SystemClock(), logger: Logger(label: "terms"), isHeld: isHeld)
      return try #require(term)
    }
  }

  /// An instance without a disk on each member.
  private static func with(_ body: (Cluster, Cluster) async throws -> Void) async throws {
    let owner = try Cluster(operator: true)
    for member in members {
      let fields: [String: JSONBody.Value] = [
        "name": .text("on-\(member)"), "source": .object(["type": .text("none")]),
        "devices": .object(["root": .texts(["type": "disk", "path": "/", "pool": "default"])]),
      ]
      try await owner.cluster.client.finish(
        .init(
          method: .POST, path: IncusPath("instances").with("target", member), body: JSONBody(fields).bytes,
          deadline: .seconds(120)), within: .seconds(120))
    }
    do {
      try await body(try Cluster(), try Cluster())
    } catch {
      Issue.record(error)
    }
    for member in members {
      try await owner.cluster.client.finish(
        .init(method: .DELETE, path: IncusPath("instances", "on-\(member)"), deadline: .seconds(120)),
        within: .seconds(120))
    }
  }

  @Test("By way of every member, for its own instances and for those of the others")
  func everyWay() async throws {
    try await Self.with { former, present in
      try await former.term(1).hold {
        for way in 0..<3 {
          for member in Self.members {
            #expect(await former.failure(by: way, on: member, within: .seconds(120)) == nil)
          }
        }
        guard let term = try? present.term(2) else { return }
        await term.hold {
          for way in 0..<3 {
            for member in Self.members {
              #expect(await former.failure(by: way, on: member, within: .seconds(120)) == .elsewhere)
              #expect(await present.failure(by: way, on: member, within: .seconds(120)) == nil)
            }
          }
        }
      }
    }
  }

  private static func member(_ fate: String, _ number: Int) throws {
    try Program.run("\(try #require(RealServer.folder))/member", fate, String(number))
  }

  @Test(
    "A member that was frozen while the term changed heeds the former one until it heeds the new one, and no longer",
    .enabled(if: isLong, "VPSD_LONG_TESTS"))
  func frozen() async throws {
    try await Self.with { former, present in
      for number in [3, 1] {
        let frozen = "m\(number)"
        let isOver = Mutex(false)
        try await former.term(1, isHeld: { !isOver.withLock { $0 } }).hold {
          #expect(await former.failure(by: 0, on: "m2") == nil)
          do {
            try Self.member("freeze", number)
            let began = ContinuousClock.now
            isOver.withLock { $0 = true }
            let term = try present.term(2)
            await term.hold {
              print("\(frozen) is frozen: the new term is heeded after \(ContinuousClock.now - began)")
              await Self.othersHeed(present, but: former, without: number)
              print("and by way of each of the others after \(ContinuousClock.now - began)")
              await Self.thaws(number, former, present)
            }
          } catch {
            Issue.record(error)
          }
        }
      }
    }
  }

  /// The members that live, each by way of each.
  private static func othersHeed(_ present: Cluster, but former: Cluster, without number: Int) async {
    let live = [0, 1, 2].filter { $0 != number - 1 }
    do {
      for way in live {
        for member in live.map({ members[$0] }) {
          // Where it was the leader, Incus answers hardly anything for 40 to 50 seconds.
          try await eventually("\(member) heeds it by way of m\(way + 1)", within: .seconds(120)) {
            await present.failure(by: way, on: member) == nil
          }
          #expect(await former.failure(by: way, on: member) == .elsewhere)
        }
      }
    } catch {
      Issue.record(error)
    }
  }

  /// Both ask the member without a pause while it comes to itself.
  private static func thaws(_ number: Int, _ former: Cluster, _ present: Cluster) async {
    let clock = ContinuousClock()
    let (way, member, end) = (number - 1, members[number - 1], clock.now + .seconds(8))
    /// When those calls began, and ended, that were carried out.
    @Sendable func done(
      _ cluster: Cluster, on member: String
    ) async -> [(began: ContinuousClock.Instant, ended: ContinuousClock.Instant)] {
      var calls: [(began: ContinuousClock.Instant, ended: ContinuousClock.Instant)] = []
      while clock.now < end {
        let began = clock.now
        if await cluster.failure(by: way, on: member) == nil { calls.append((began, clock.now)) }
      }
      return calls
    }
    async let formers = done(former, on: member)
    async let presents = done(present, on: member)
    // It passes these on to a member that has heeded the new term all the time.
    async let strays = done(former, on: "m2")
    do {
      try Self.member("thaw", number)
    } catch {
      Issue.record(error)
    }
    let (late, new, stray) = (await formers, await presents, await strays)
    print("\(member) goes on: \(late.count) calls of the former term were carried out, and \(new.count) of the new one")
    guard let first = new.first?.ended else {
      Issue.record("the new term is not heeded by \(member)")
      return
    }
    #expect(!late.contains { $0.began > first })
    #expect(stray.isEmpty, "a call of the former term for a server on m2 was carried out")
  }
}

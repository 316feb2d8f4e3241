import Core
import Foundation
import Logging
import Synchronization
import TestSupport
import Testing

@testable import Engine

@Suite("What one of several services does")
struct TenureTests {
  private static let duties = [Duty.installation, .host(ID(1)), .host(ID(2))]

  /// Says what the test wants it to.
  private final class Script: ReplicaStore {
    struct State {
      var terms: [Duty: Int64] = [:]
      var count = 1
      var isAway = false
      var givenBack: [Tenure] = []
      var hasLeft = false
      var time = Timestamp(millisecondsSinceEpoch: 0)
    }

    let state = Mutex(State())

    func time() async throws -> Timestamp { state.withLock { $0.time } }

    func beat(
      _ replica: Replica, holding: [Tenure], wanting: [Duty], own: [Duty], for lifetime: Duration
    ) async throws -> ReplicaBeat {
      try state.withLock { state in
        if state.isAway { throw StoreUnavailable("away") }
        let known = Set(wanting).union(own).union(holding.map(\.duty))
        let tenures = state.terms.filter { known.contains($0.key) }.map { Tenure($0.key, term: $0.value) }
        return ReplicaBeat(tenures: tenures, time: state.time, replicaCount: state.count, dead: [])
      }
    }

    func giveBack(_ tenures: [Tenure], of replica: Replica) async throws {
      state.withLock { state in
        state.givenBack += tenures
        for tenure in tenures where state.terms[tenure.duty] == tenure.term { state.terms[tenure.duty] = nil }
      }
    }

    func leave(_ replica: Replica) async throws {
      state.withLock { state in (state.hasLeft, state.terms) = (true, [:]) }
    }
  }

  /// What is under way.
  private final class Work: Sendable {
    private let state = Mutex((running: Set<Tenure>(), finished: [Tenure]()))

    var running: Set<Tenure> { state.withLock { $0.running } }
    var finished: [Tenure] { state.withLock { $0.finished } }

    func begin(_ tenure: Tenure) -> Tenures.Work {
      Tenures.Work {
        self.state.withLock { _ = $0.running.insert(tenure) }
        let end = Doorbell()
        while !Task.isCancelled { await end.wait(until: .init(elapsed: .seconds(1 << 40)), clock: ManualClock()) }
        self.state.withLock { _ = $0.running.remove(tenure) }
      } finish: {
        self.state.withLock { $0.finished.append(tenure) }
      }
    }

    func whenRunning(_ expected: Set<Tenure>) async {
      #expect(await comesTrue { running == expected }, "\(running)")
    }
  }

  private struct CannotBegin: Error {}

  private let script = Script()
  private let work = Work()
  private let clock = ManualClock()

  private func tenures(unfit: Set<Duty> = [], own: [Duty] = []) -> Tenures {
    Tenures(
      of: Replica(name: "one"), store: script, duties: Self.duties.filter { !own.contains($0) }, own: own,
      clock: InstallationClock(clock),
      logger: Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() }),
      begin: { [work] tenure in
        if unfit.contains(tenure.duty) { throw CannotBegin() }
        return work.begin(tenure)
      }, looked: { _ in })
  }

  @Test("It does what it has, ends what it has no more, and begins anew what it has again")
  func beats() async throws {
    let tenures = tenures()
    script.state.withLock { $0.terms = [.installation: 1, .host(ID(1)): 4] }
    await tenures.beat()
    await work.whenRunning([Tenure(.installation, term: 1), Tenure(.host(ID(1)), term: 4)])
    script.state.withLock { $0.terms = [.host(ID(1)): 6] }
    await tenures.beat()
    await work.whenRunning([Tenure(.host(ID(1)), term: 6)])
    #expect(work.finished.isEmpty, "What is somebody else's is not waited for.")
    await tenures.leave()
    await work.whenRunning([])
    #expect(work.finished == [Tenure(.host(ID(1)), term: 6)] && script.state.withLock { $0.hasLeft })
    await tenures.beat()
    #expect(tenures.held.isEmpty)
  }

  @Test("It ends all by itself where it was not heard for as long as it has anything, and not before")
  func silence() async throws {
    let tenures = tenures()
    script.state.withLock { $0.terms = [.installation: 1] }
    let running = Task { await tenures.run() }
    await work.whenRunning([Tenure(.installation, term: 1)])
    script.state.withLock { $0.isAway = true }
    clock.advance(by: Tenures.lifetime - .milliseconds(1))
    for _ in 0..<1000 { await Task.yield() }
    #expect(work.running.count == 1)
    clock.advance(by: .milliseconds(1))
    // It may have been about to sleep for the last millisecond.
    let isOver = await comesTrue {
      clock.advance(by: .milliseconds(1))
      return work.running.isEmpty
    }
    #expect(isOver && tenures.held.isEmpty)
    running.cancel()
    await running.value
  }

  @Test("Who has more than its share gives back, once that is at rest")
  func shares() async throws {
    let tenures = tenures()
    script.state.withLock { $0.terms = [.installation: 1, .host(ID(1)): 1, .host(ID(2)): 5] }
    await tenures.beat()
    await work.whenRunning([
      Tenure(.installation, term: 1), Tenure(.host(ID(1)), term: 1), Tenure(.host(ID(2)), term: 5),
    ])
    script.state.withLock { $0.count = 2 }
    await tenures.beat()
    #expect(await comesTrue { script.state.withLock { $0.givenBack } == [Tenure(.host(ID(2)), term: 5)] })
    #expect(work.finished == [Tenure(.host(ID(2)), term: 5)])
    await work.whenRunning([Tenure(.installation, term: 1), Tenure(.host(ID(1)), term: 1)])
    await tenures.beat()
    #expect(tenures.held.count == 2)
  }

  @Test("What only it can do it keeps, however many others there are")
  func own() async throws {
    let tenures = tenures(own: [.host(ID(1)), .host(ID(2))])
    script.state.withLock { $0.terms = [.installation: 9, .host(ID(1)): 1, .host(ID(2)): 5] }
    await tenures.beat()
    let all: Set = [Tenure(.installation, term: 9), Tenure(.host(ID(1)), term: 1), Tenure(.host(ID(2)), term: 5)]
    await work.whenRunning(all)
    script.state.withLock { $0.count = 5 }
    for _ in 0..<3 {
      await tenures.beat()
      for _ in 0..<1000 { await Task.yield() }
    }
    #expect(work.running == all && script.state.withLock { $0.givenBack.isEmpty })
  }

  @Test("What cannot be begun here is left to others for a while")
  func unfit() async throws {
    let tenures = tenures(unfit: [.host(ID(1))])
    script.state.withLock { $0.terms = [.host(ID(1)): 1] }
    await tenures.beat()
    #expect(await comesTrue { script.state.withLock { $0.givenBack } == [Tenure(.host(ID(1)), term: 1)] })
    script.state.withLock { $0.terms = [.host(ID(1)): 3] }
    await tenures.beat()
    #expect(tenures.held.isEmpty && script.state.withLock { $0.givenBack.count } == 1)
  }

  @Test("The time of day is the database's, and goes on by the machine's that only has to be even")
  func clocks() async throws {
    let installation = InstallationClock(clock)
    #expect(installation.now == clock.now)
    let wrong = clock.now - .seconds(300)
    installation.note(wrong, asked: clock.uptime, answered: clock.uptime + .milliseconds(20))
    #expect(installation.now == wrong - .milliseconds(10))
    clock.advance(by: .seconds(2))
    #expect(installation.now == wrong + .milliseconds(1990))
    // An answer that took long says less.
    installation.note(wrong, asked: clock.uptime, answered: clock.uptime + .seconds(1))
    #expect(installation.now == wrong + .milliseconds(1990))
    installation.note(wrong + .seconds(7), asked: clock.uptime, answered: clock.uptime)
    #expect(installation.now == wrong + .seconds(7))
  }
}

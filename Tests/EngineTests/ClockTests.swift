import Core
import Foundation
import SimulatedDriver
import Synchronization
import TestSupport
import Testing

@testable import Engine

@Suite("The time of day may be set at any moment, and nothing fails, hangs or is lost by it")
struct ClockTests {
  static let jumps: [Duration] = [.seconds(-3600), .seconds(-20), .seconds(80), .seconds(86_400)]

  @Test("It is set in the middle of any work", arguments: WorkflowStep.all)
  func anyStep(step: WorkflowStep) async throws {
    for jump in [Duration.seconds(-3600), .seconds(80)] {
      let world = try await FaultWorld.before(step)
      let (service, clock) = (world.service, world.service.clock)
      #expect(try await service.runner.runNextStep())
      let began = clock.uptime
      clock.setTimeOfDay(to: clock.now + jump)
      try await service.settle()
      #expect(clock.uptime - began < .seconds(70), "\(step.testDescription), \(jump)")
      try await world.settle()
      try await world.expectRest(mayFail: false, "the time of day was set by \(jump)")
    }
  }

  @Test("Who waits for a server is answered in time", arguments: jumps)
  func wait(jump: Duration) async throws {
    let service = try await TestService()
    let created = try await service.servers.create(service.draft(), service.owner).view
    let answer = Task { try await service.servers.settled(created, within: .seconds(5), service.owner) }
    await service.clock.whenSleeping()
    service.clock.setTimeOfDay(to: service.clock.now + jump)
    for _ in 1...5 {
      await service.clock.whenSleeping()
      service.clock.advance(by: .seconds(1))
    }
    #expect(try await answer.value.server.status == .provisioning)
  }

  @Test("A stream of events has its heartbeats", arguments: jumps)
  func heartbeat(jump: Duration) async throws {
    let service = try await TestService()
    let events = Events(store: service.store, changes: service.changes, clock: service.clock)
    let (beats, continuation) = AsyncStream.makeStream(of: Duration.self)
    let stream = Task {
      try await events.follow(after: nil, service.owner, isWelcome: { true }) { _ in
        continuation.yield(service.clock.uptime.elapsed)
      }
    }
    var heard = beats.makeAsyncIterator()
    _ = await heard.next()
    await service.clock.whenSleeping()
    service.clock.setTimeOfDay(to: service.clock.now + jump)
    for _ in 1...15 {
      await service.clock.whenSleeping()
      service.clock.advance(by: .seconds(1))
    }
    #expect(await heard.next() == .seconds(15))
    stream.cancel()
    _ = try? await stream.value
  }

  @Test("A server that crashed is started again at once", arguments: jumps)
  func recovery(jump: Duration) async throws {
    let service = try await TestService()
    let id = try await service.activeServer()
    service.clock.setTimeOfDay(to: service.clock.now + jump)
    try service.driver.crash(try #require(try await service.store.server(id)).uuid)
    await service.monitor.pollOnce()
    #expect(try await service.status(of: id) == .starting)
    try await service.settle()
    #expect(try await service.status(of: id) == .active)
  }

  @Test("What is kept for a second is kept for a second", arguments: jumps)
  func cache(jump: Duration) async throws {
    let clock = ManualClock()
    let cache = TimedCache<Int>(clock: clock)
    #expect(try await cache.value { 1 } == 1)
    clock.setTimeOfDay(to: clock.now + jump)
    #expect(try await cache.value { 2 } == 1)
    clock.advance(by: .seconds(1))
    #expect(try await cache.value { 3 } == 3)
  }
}

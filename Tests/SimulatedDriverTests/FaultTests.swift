import Core
import Foundation
import SimulatedDriver
import Synchronization
import TestSupport
import Testing

@Suite("Faults on demand")
struct FaultTests {
  static let failure = DriverError(.busy, "It was told to fail.")

  @Test("Every method can be made to fail once, without doing anything", arguments: DriverMethod.allCases)
  func failOnce(_ method: DriverMethod) async throws {
    try await withSimulatedHost(sharesStorage: true) { host in
      let machine = try await host.makeMachine(isRunning: !method.needsMachineThatIsOff)
      let copy = try await host.makeCopy(of: machine)
      let before = host.driver.machine(machine)
      host.driver.forgetCalls()
      host.driver.inject(Fault(in: method, .fail(Self.failure)))
      let error = await #expect(throws: DriverError.self) { try await host.call(method, of: machine, copy) }
      #expect(error == Self.failure)
      #expect(host.driver.machine(machine) == before)
      #expect(host.driver.copy(copy)?.isWhole == true)
      try await host.call(method, of: machine, copy)
      #expect(host.driver.faults.isEmpty)
      #expect(host.driver.calls.map(\.method) == [method, method])
    }
  }

  @Test("A call can do its work and then report a failure")
  func failAfterwards() async throws {
    try await withSimulatedHost { host in
      let machine = try await host.makeMachine(isRunning: false)
      host.driver.inject(Fault(in: .start, of: machine, .failAfterwards(Self.failure)))
      await #expect(throws: Self.failure) { try await host.driver.start(machine) }
      #expect(try await host.driver.power(of: machine) == .running)
    }
  }

  @Test("A fault is good for so many calls, or for all, of one machine or of any")
  func counting() async throws {
    try await withSimulatedHost { host in
      let (one, other) = (try await host.makeMachine(), try await host.makeMachine())
      host.driver.inject(Fault(in: .power, of: one, .fail(Self.failure), times: 2))
      host.driver.inject(Fault(in: .readiness, .fail(Self.failure), times: nil))
      for _ in 1...2 { await #expect(throws: Self.failure) { try await host.driver.power(of: one) } }
      #expect(try await host.driver.power(of: one) == .running)
      #expect(try await host.driver.power(of: other) == .running)
      for machine in [one, other, one] {
        await #expect(throws: Self.failure) { try await host.driver.readiness(of: machine) }
      }
      host.driver.faults = Faults()
      #expect(try await host.driver.readiness(of: one).hasSSHBanner)
    }
  }

  @Test("Two failures are met by two calls, in their order")
  func order() async throws {
    try await withSimulatedHost { host async throws in
      let second = DriverError(.unreachable, "The second one.")
      host.driver.faults = Faults([Fault(in: .observe, .fail(Self.failure)), Fault(in: .observe, .fail(second))])
      await #expect(throws: Self.failure) { try await host.driver.observe() }
      await #expect(throws: second) { try await host.driver.observe() }
      #expect(try await host.driver.observe().powers.isEmpty)
    }
  }

  @Test("A call hangs until it is released, and then does its work")
  func hang() async throws {
    try await withSimulatedHost { host in
      let machine = try await host.makeMachine(isRunning: false)
      let driver = host.driver
      driver.inject(Fault(in: .start, of: machine, .hang))
      let call = Task { try await driver.start(machine) }
      await driver.whenHanging()
      #expect(try await driver.power(of: machine) == .off(.other))
      driver.releaseHangingCalls()
      try await call.value
      #expect(try await driver.power(of: machine) == .running)
    }
  }

  @Test("A call hangs after its work; cancelled, it fails, and the work is done")
  func hangAfterwards() async throws {
    try await withSimulatedHost { host in
      let machine = try await host.makeMachine(isRunning: false)
      let driver = host.driver
      driver.inject(Fault(in: .start, .hangAfterwards))
      let call = Task { try await driver.start(machine) }
      await driver.whenHanging()
      #expect(try await driver.power(of: machine) == .running)
      call.cancel()
      let error = await #expect(throws: DriverError.self) { try await call.value }
      #expect(error?.kind == .unreachable)
    }
  }

  @Test("A call that was cancelled before it hangs does not hang")
  func cancelledBefore() async throws {
    try await withSimulatedHost { host in
      let driver = host.driver
      driver.inject(Fault(in: .observe, .hang))
      let call = Task {
        withUnsafeCurrentTask { $0?.cancel() }
        return try await driver.observe()
      }
      await #expect(throws: DriverError.self) { try await call.value }
    }
  }

  @Test("Something can happen in the middle of a call")
  func hooks() async throws {
    try await withSimulatedHost { host in
      let machine = try await host.makeMachine(isRunning: false)
      let driver = host.driver
      let seen = Mutex<[MachinePower]>([])
      let look: Fault.Hook = {
        let power = try? await driver.power(of: machine)
        seen.withLock { $0.append(power ?? .absent) }
      }
      driver.inject(Fault(in: .start, .before(look)))
      driver.inject(Fault(in: .start, .after(look)))
      try await driver.start(machine)
      #expect(seen.withLock { $0 } == [.off(.other), .running])

      driver.inject(Fault(in: .powerOff, .before { try? await driver.ensureAbsent(machine) }))
      let error = await #expect(throws: DriverError.self) { try await driver.powerOff(machine) }
      #expect(error?.kind == .notFound)
    }
  }

  @Test("Calls are recorded with their machine, and very many are not kept for ever")
  func calls() async throws {
    try await withSimulatedHost { host in
      let machine = UUID()
      try await host.driver.ensureAbsent(machine)
      _ = try await host.driver.observe()
      #expect(host.driver.calls == [DriverCall(.ensureAbsent, machine), DriverCall(.observe)])
      for _ in 1...25_000 { _ = try await host.driver.power(of: machine) }
      #expect(host.driver.calls.count <= 20_000)
      #expect(host.driver.calls.last == DriverCall(.power, machine))
    }
  }
}

extension SimulatedHost {
  fileprivate func call(_ method: DriverMethod, of machine: UUID, _ copy: UUID) async throws {
    switch method {
    case .capacity: _ = try await driver.capacity()
    case .prepareImage: _ = try await driver.prepareImage("debian-12", storageGiB: 10)
    case .isAddressFree: _ = try await driver.isAddressFree(ServerAddress("127.80.0.9")!, for: machine)
    case .ensureDefined:
      try await driver.ensureDefined(specification(machine: machine, vcpus: 2))
    case .start: try await driver.start(machine)
    case .resume: try await driver.resume(machine)
    case .requestShutdown: try await driver.requestShutdown(machine)
    case .powerOff: try await driver.powerOff(machine)
    case .readiness: _ = try await driver.readiness(of: machine)
    case .applyLimits: try await driver.applyLimits(.standard(vcpus: 1), to: machine)
    case .applyHostname: try await driver.applyHostname(Hostname("new.example.com")!, to: machine)
    case .applyAddresses:
      try await driver.applyAddresses(of: NetworkInterface(address: IPv4Address("127.80.0.9")!), to: machine)
    case .applyFirewall: try await driver.applyFirewall(.disabled, to: machine)
    case .requireRescuable:
      try await driver.requireRescuable(
        machine,
        by: RescueSpecification(
          imageName: "debian-12", imageVersion: SimulatedDriver.imageVersion, storageGiB: 4, authorizedKey: nil,
          rootPasswordHash: nil, mayCreateDisk: true))
    case .openConsole: _ = try await driver.openConsole(of: machine)
    case .takesUserData: _ = try await driver.takesUserData("debian-12")
    case .userDataOutcome: _ = try await driver.userDataOutcome(of: machine)
    case .setPassword: try await driver.setPassword(hash: "$6$a", of: "root", in: machine)
    case .ensureCopied: _ = try await driver.ensureCopied(machine, as: UUID())
    case .ensureRestored:
      let checksum = driver.copy(copy)?.checksum ?? ""
      _ = try await driver.ensureRestored(machine, from: copy, checksum: checksum)
    case .endRestore: _ = try await driver.endRestore(of: machine, from: copy)
    case .ensureCopyAbsent: try await driver.ensureCopyAbsent(copy, of: machine)
    case .ensureDiskAbsent: try await driver.ensureDiskAbsent(machine)
    case .ensureAbsent: try await driver.ensureAbsent(machine)
    case .power: _ = try await driver.power(of: machine)
    case .observe: _ = try await driver.observe()
    case .ensureReceived: _ = try await driver.ensureReceived(machine, from: neighbour())
    case .endReceipt: _ = try await driver.endReceipt(of: machine, from: neighbour())
    case .ensureInherited: try await driver.ensureInherited(machine)
    }
  }
}

extension DriverMethod {
  fileprivate var needsMachineThatIsOff: Bool { self == .ensureRestored || self == .ensureDiskAbsent }
}

import Core
import Foundation
import SQLStore
import SimulatedDriver
import Synchronization
import TestSupport
import Testing

@testable import Engine

/// One step of one workflow, and how to come before it.
struct WorkflowStep: CustomTestStringConvertible, Sendable {
  let kind: Core.Operation.Kind
  let name: String

  static let all = Core.Operation.Kind.allCases.flatMap { kind in
    kind.stepNames.map { WorkflowStep(kind: kind, name: $0) }
  }

  var testDescription: String { "\(kind.rawValue).\(name)" }

  /// Whether the step removes what an operation has begun that fails in any case.
  var isAfterFailure: Bool { name == CopyDisk.Step.clean.rawValue }

  /// What the server is to be when the operation has succeeded; nil for gone.
  var wantedStatus: ServerStatus? {
    switch kind {
    case .create where isAfterFailure: .error
    case .create, .start, .recover, .reboot, .configure, .readdress, .resize, .move, .rebuild, .backup, .snapshot,
      .restore,
      .discard, .rescue, .leaveRescue:
      .active
    case .stop, .hardStop: .stopped
    case .delete: nil
    }
  }
}

/// A service with one server whose next step is the one that is looked at.
final class FaultWorld: Sendable {
  let step: WorkflowStep
  let service: TestService
  let server: Server

  fileprivate init(_ step: WorkflowStep, _ service: TestService, _ server: Server) {
    self.step = step
    self.service = service
    self.server = server
  }

  /// Of the host that runs the step: a move begins and ends at the server's new host.
  var driver: SimulatedDriver {
    step.kind == .move && StopServer.Step(rawValue: step.name) == nil ? service.drivers[2] : service.driver
  }

  var machine: UUID { server.uuid }
  var id: ID<Server> { server.id }

  /// Whatever takes its time is waited for once, and not again and again.
  fileprivate static let options: SimulatedDriver.Options = {
    var options = SimulatedDriver.Options()
    options.bootDuration = .milliseconds(100)
    options.shutdownDuration = .milliseconds(100)
    options.copyDuration = .milliseconds(100)
    options.enforcesFirewalls = true
    return options
  }()

  /// Worlds are made many times for each step, so that the way there is gone once, and its files are copied.
  static func before(_ step: WorkflowStep) async throws -> FaultWorld {
    try await Rehearsal.of(step).world()
  }

  /// Goes the whole way there.
  ///
  /// - Parameter sharesStorage: Whether the hosts of a location reach the same disks.
  static func made(_ step: WorkflowStep, sharesStorage: Bool = false) async throws -> FaultWorld {
    let service = try await TestService(
      hosts: TestService.threeHosts, options: options, sharesStorage: sharesStorage)
    var draft = service.draft()
    draft.firewall = Firewall(isEnabled: true, rules: [try FirewallRule(.inbound, .tcp, ports: "22")])
    let id = try await service.servers.create(draft, service.owner).view.server.id
    let world = FaultWorld(step, service, try #require(try await service.store.server(id)))
    try await world.request()
    try await world.runUntilNext()
    return world
  }

  /// The same files after the process has died.
  func afterDeath() async throws -> FaultWorld {
    FaultWorld(step, try await TestService(after: service), server)
  }

  private func request() async throws {
    if step.kind != .create { try await service.settle() }
    if step.kind != .hardStop, step.name == StopServer.Step.powerOff.rawValue {
      try service.driver.setQuirks([.ignoresShutdown], of: machine)
    }
    switch step.kind {
    case .create where step.isAfterFailure:
      service.driver.inject(Fault(in: .ensureDefined, .failAfterwards(Self.refusal)))
    case .create: break
    case .start:
      _ = try await service.servers.perform(.stop, on: id, service.owner)
      try await service.settle()
      _ = try await service.servers.perform(.start, on: id, service.owner)
    case .stop: _ = try await service.servers.perform(.stop, on: id, service.owner)
    case .hardStop: _ = try await service.servers.perform(.hardStop, on: id, service.owner)
    case .reboot: _ = try await service.servers.perform(.reboot, on: id, service.owner)
    case .recover:
      try service.driver.crash(machine)
      await service.monitor.pollOnce()
    case .configure:
      let change = ServerChange(hostname: Hostname("changed.example.com"))
      _ = try await service.servers.update(id, change, service.owner)
    case .readdress:
      let server = try #require(try await service.store.server(id))
      let second = try await service.database.addAddress(
        .next(.ipv4), to: id, pools: service.pools, limit: 16, at: service.clock.now)
      let first = try #require(server.address)
      // The one goes as the other comes.
      #expect(second != nil)
      _ = try await service.database.removeAddress(.ipv4(first), from: id, at: service.clock.now)
    case .resize: _ = try await service.resize(id)
    case .move: try await service.move(id)
    case .rebuild: _ = try await service.servers.rebuild(id, .init(), service.owner)
    case .delete: try await service.servers.delete(id, service.owner)
    case .backup, .snapshot, .restore, .discard: try await requestCopy()
    case .rescue: _ = try await service.servers.rescue(id, .init(), service.owner)
    case .leaveRescue:
      _ = try await service.servers.rescue(id, .init(), service.owner)
      try await service.settle()
      _ = try await service.servers.leaveRescue(id, service.owner)
    }
  }

  private static let refusal = DriverError(
    .rejected, "The disk is broken.", customerReason: "The disk cannot be read.")

  private func requestCopy() async throws {
    if step.isAfterFailure { service.driver.inject(Fault(in: .ensureCopied, .failAfterwards(Self.refusal))) }
    try service.driver.guestWrites("old", on: machine)
    switch step.kind {
    case .snapshot:
      _ = try await service.snapshots.create(DiskCopies.Draft(server: .id(id), name: "a"), service.owner)
    case .restore:
      let backup = try await service.backup(of: id)
      try service.driver.guestWrites("new", on: machine)
      _ = try await service.backups.restore(backup, service.owner)
    case .discard: try await service.backups.delete(try await service.backup(of: id), service.owner)
    default: _ = try await service.backups.create(DiskCopies.Draft(server: .id(id)), service.owner)
    }
  }

  private func runUntilNext() async throws {
    for _ in 0..<500 {
      let current = try await service.store.operations(of: id).first { $0.finishedAt == nil }
      guard let current else { break }
      if current.kind == step.kind, (current.step ?? current.kind.stepNames[0]) == step.name {
        return service.drivers.forEach { $0.forgetCalls() }
      }
      if try await service.runner.runNextStep() { continue }
      guard let due = try await service.nextOperationDue() else { break }
      service.clock.advance(to: max(due, service.clock.now + .milliseconds(1)))
    }
    Issue.record("The step \(step.testDescription) is never reached: the matrix does not test it.")
  }

  /// Carries out everything, with a look at the machines and at what the schedule finds, as the service would.
  func settle() async throws {
    try await service.settle()
    // Nobody asks a host again at once that did not take a server's addresses.
    if [.readdress, .move].contains(step.kind) { service.clock.advance(by: Monitor.addressInterval + .seconds(1)) }
    await service.monitor.pollOnce()
    await service.schedule.pollOnce()
    try await service.settle()
  }

  // MARK: What must be true

  /// Rows and machines agree, and the server became what it should, or failed with a reason and can be helped.
  func expectRest(mayFail: Bool, isDeleted: Bool = false, _ fault: String) async throws {
    let context = Comment(rawValue: "\(step.testDescription), \(fault)")
    #expect(try await service.contradictionsAtRest() == [], context)
    let status = try await service.status(of: id)
    if isDeleted || step.wantedStatus == nil {
      #expect(status == nil, context)
    } else if status == .error, mayFail, step.wantedStatus != .error {
      try await expectWayOut(context)
    } else if status == .active, mayFail, step.wantedStatus == .stopped {
      // It could not be stopped, was in error for that, and was seen to run.
      #expect(try await service.store.operations(of: id).last { $0.kind == step.kind }?.state == .failed, context)
    } else {
      #expect(status == step.wantedStatus, context)
      try await expectCarriedOut(mayFail: mayFail, context)
    }
    try await expectNothingAfterDelete(isDeleted: status == nil, context)
  }

  /// A change that failed has left the server as it was, and says why.
  private func expectCarriedOut(mayFail: Bool, _ context: Comment) async throws {
    let operation = try #require(try await service.store.operations(of: id).last { $0.kind == step.kind })
    if step.isAfterFailure {
      #expect(operation.state == .failed && operation.customerReason == Self.refusal.customerReason, context)
    } else {
      #expect(operation.state == .succeeded || (mayFail && operation.state == .failed), context)
    }
    if operation.state == .failed {
      #expect(operation.customerReason?.isEmpty == false && operation.operatorDetail?.isEmpty == false, context)
    }
    if step.kind == .resize {
      let plan = try #require(try await service.store.server(id)).planID
      // Where it was changed, and then did not start in its time, it has been seen to run since.
      #expect(plan == ID(1) || (operation.state == .failed && plan == ID(3)), context)
    }
    if step.kind == .move {
      // Once the machine is at its new host, a failure does not bring it back.
      let server = try #require(try await service.store.server(id))
      let number = server.location == "us-east" ? 2 : 0
      #expect(number == 2 || operation.state == .failed, context)
      #expect(service.drivers.map { $0.machine(machine) != nil } == (0...2).map { $0 == number }, context)
    }
    if [.rescue, .leaveRescue].contains(step.kind) {
      let isInRescue = try #require(try await service.store.server(id)).isInRescue
      #expect(isInRescue == (step.kind == .rescue) || operation.state == .failed, context)
      #expect(service.driver.machine(machine)?.runsRescue == isInRescue, context)
    }
    if step.kind == .restore {
      let content = service.driver.machine(machine)?.disk?.content
      #expect(content == "old" || (operation.state == .failed && content == "new"), context)
    }
  }

  private func expectWayOut(_ context: Comment) async throws {
    let server = try #require(try await service.store.server(id))
    #expect(server.statusReason?.isEmpty == false, context)
    let failed = try await service.store.operations(of: id).last { $0.state == .failed }
    #expect(failed?.operatorDetail?.isEmpty == false, context)
    guard server.machine.hasDisk else { return }
    _ = try await service.servers.perform(.start, on: id, service.owner)
    try await settle()
    #expect(try await service.status(of: id) == .active, context)
    #expect(try await service.contradictionsAtRest() == [], context)
  }

  private func expectNothingAfterDelete(isDeleted: Bool, _ context: Comment) async throws {
    if !isDeleted { try await service.servers.delete(id, service.owner) }
    try await settle()
    #expect(try await service.leftovers() == [], context)
  }
}

/// What every world of a step begins with: a service as it is left just before it, and the calls that it makes then.
struct Rehearsal: Sendable {
  private let left: FaultWorld
  let methods: Set<DriverMethod>

  private static let known = Mutex<[String: Task<Rehearsal, any Error>]>([:])

  static func of(_ step: WorkflowStep) async throws -> Rehearsal {
    let task = known.withLock { known in
      if let task = known[step.testDescription] { return task }
      let task = Task { try await Rehearsal(step) }
      known[step.testDescription] = task
      return task
    }
    return try await task.value
  }

  private init(_ step: WorkflowStep) async throws {
    left = try await FaultWorld.made(step)
    try left.service.database.release()
    let world = try await Self.copy(of: left)
    let driver = world.driver
    driver.forgetCalls()
    #expect(try await world.service.runner.runNextStep())
    methods = Set(driver.calls.filter { $0.machine == world.machine || $0.method == .prepareImage }.map(\.method))
    #expect(!methods.isEmpty, "The step \(step.testDescription) does nothing.")
  }

  func world() async throws -> FaultWorld { try await Self.copy(of: left) }

  private static func copy(of left: FaultWorld) async throws -> FaultWorld {
    FaultWorld(left.step, try await TestService(copying: left.service), left.server)
  }
}

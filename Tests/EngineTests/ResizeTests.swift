import Core
import Engine
import Foundation
import SimulatedDriver
import TestSupport
import Testing

@Suite("A server gets another plan")
struct ResizeTests {
  @Test("One that is active goes down, and comes back with the processors, the memory and the disk of the new plan")
  func active() async throws {
    let service = try await TestService()
    let id = try await service.activeServer()
    let before = try #require(try await service.store.server(id))
    let requested = try await service.resize(id)
    #expect(requested.server.status == .rebooting)
    #expect(requested.server.planID == ID(3))
    for action in PowerAction.allCases {
      let refused = await failure { _ = try await service.servers.perform(action, on: id, service.owner) }
      #expect(refused?.message == "Server is rebooting.")
    }
    try await service.settle()
    let after = try #require(try await service.store.server(id))
    #expect(after.status == .active)
    #expect(after.planID == ID(1))
    #expect(after.address == before.address)
    let machine = try #require(service.driver.machine(after.uuid))
    #expect(machine.boot?.definition.vcpus == 2)
    #expect(machine.boot?.definition.memoryMiB == 4096)
    #expect(machine.disk?.storageGiB == 80)
    #expect(try await service.store.operations(of: id).map(\.kind) == [.create, .resize])
    #expect(try await service.contradictionsAtRest() == [])
  }

  @Test("One that is stopped stays so, and starts with the new plan when it is told to")
  func stopped() async throws {
    let service = try await TestService()
    let id = try await service.activeServer()
    _ = try await service.servers.perform(.stop, on: id, service.owner)
    try await service.settle()
    service.driver.forgetCalls()
    #expect(try await service.resize(id).server.status == .stopped)
    try await service.settle()
    #expect(try await service.status(of: id) == .stopped)
    #expect(!service.driver.calls.map(\.method).contains(.start))
    #expect(try await service.store.server(id)?.planID == ID(1))
    _ = try await service.servers.perform(.start, on: id, service.owner)
    try await service.settle()
    #expect(try await service.contradictionsAtRest() == [])
  }

  @Test("One that is told to start while it is resized starts afterwards")
  func startedMeanwhile() async throws {
    let service = try await TestService()
    let id = try await service.activeServer()
    _ = try await service.servers.perform(.stop, on: id, service.owner)
    try await service.settle()
    try await service.resize(id)
    #expect(try await service.servers.perform(.start, on: id, service.owner).status == .starting)
    try await service.settle()
    #expect(try await service.status(of: id) == .active)
    #expect(try await service.contradictionsAtRest() == [])
  }

  @Test("One that is on its way elsewhere is resized when it is there", arguments: [PowerAction.stop, .reboot])
  func waitsItsTurn(action: PowerAction) async throws {
    let service = try await TestService()
    let id = try await service.activeServer()
    _ = try await service.servers.perform(action, on: id, service.owner)
    #expect(try await service.resize(id).server.status == action.transitionalStatus)
    var seen: [ServerStatus] = []
    while try await service.nextOperationDue() != nil {
      try await service.step()
      let status = try #require(try await service.status(of: id))
      if seen.last != status { seen.append(status) }
      #expect(try await service.contradictions() == [])
    }
    #expect(seen == (action == .stop ? [.stopping, .stopped] : [.rebooting, .active]))
    #expect(try await service.store.server(id)?.planID == ID(1))
    #expect(try await service.contradictionsAtRest() == [])
  }

  @Test("One that is still being made is resized when it is ready, and pays the difference within its first hour")
  func provisioning() async throws {
    let service = try await TestService()
    let id = try await service.servers.create(service.draft(), service.owner).view.server.id
    #expect(try await service.resize(id).server.status == .provisioning)
    try await service.settle()
    #expect(try await service.status(of: id) == .active)
    #expect(try await service.store.server(id)?.planID == ID(1))
    #expect(try await service.balance(of: service.owner) == Money(microunits: 99_970_000))
    #expect(try await service.contradictionsAtRest() == [])
  }

  @Test("One that could not be made cannot be resized, neither now nor when its turn comes")
  func neverMade() async throws {
    var options = SimulatedDriver.Options()
    options.images = []
    let service = try await TestService(options: options)
    let id = try await service.servers.create(service.draft(), service.owner).view.server.id
    try await service.resize(id)
    try await service.settle()
    #expect(try await service.store.operations(of: id).last?.customerReason == "Server could not be created.")
    #expect(try await service.status(of: id) == .error)
    #expect(await failure { _ = try await service.resize(id) }?.message == "Server could not be created.")
    #expect(try await service.contradictionsAtRest() == [])
  }

  @Test("What the host refuses to do leaves the server as it was, running, with the reason in its history")
  func refused() async throws {
    let service = try await TestService()
    let id = try await service.activeServer()
    try await service.resize(id)
    let full = DriverError(.rejected, "No space left on device", customerReason: "The host has no room.")
    service.driver.inject(Fault(in: .ensureDefined, .fail(full)))
    try await service.settle()
    let server = try #require(try await service.store.server(id))
    #expect(server.status == .active)
    #expect(server.planID == ID(3))
    let operations = try await service.store.operations(of: id)
    #expect(operations.map(\.kind) == [.create, .resize])
    #expect(operations[1].state == .failed)
    #expect(operations[1].customerReason == "The host has no room.")
    #expect(try await service.contradictionsAtRest() == [])
  }

  @Test("One at a time: a second change is refused until the first is over")
  func oneAtATime() async throws {
    let service = try await TestService()
    let id = try await service.activeServer()
    try await service.resize(id)
    #expect(await failure { _ = try await service.resize(id, to: 2) }?.code == .conflict)
    try await service.settle()
    try await service.resize(id, to: 2)
    try await service.settle()
    #expect(try await service.store.server(id)?.planID == ID(2))
  }

  @Test("Room on the host is needed for the difference only, and from the moment of the request")
  func capacity() async throws {
    var options = SimulatedDriver.Options()
    options.capacity = HostCapacity(vcpus: 4, memoryMiB: 5000, storageGiB: 100)
    let service = try await TestService(options: options)
    let first = try await service.activeServer()
    let second = try await service.activeServer()
    try await service.resize(first)
    for _ in 1...2 {
      #expect(await failure { _ = try await service.resize(second) }?.code == .noCapacity)
      try await service.settle()
    }
    try await service.servers.delete(first, service.owner)
    try await service.settle()
    try await service.resize(second)
    try await service.settle()
    #expect(try await service.contradictionsAtRest() == [])
  }

  @Test("Room that was reserved for a change that failed is free again")
  func capacityAfterFailure() async throws {
    var options = SimulatedDriver.Options()
    options.capacity = HostCapacity(vcpus: 3, memoryMiB: 5000, storageGiB: 100)
    let service = try await TestService(options: options)
    let id = try await service.activeServer()
    try await service.resize(id)
    service.driver.inject(Fault(in: .ensureDefined, .fail(DriverError(.rejected, "no"))))
    try await service.settle()
    #expect(try await service.contradictionsAtRest() == [])
    for _ in 1...2 { _ = try await service.activeServer() }
  }

  @Test("A dearer plan needs credit for an hour of it, a cheaper one none")
  func credit() async throws {
    let service = try await TestService(openingCredit: Money(microunits: 50_000))
    var draft = service.draft()
    draft.planID = 1
    let id = try await service.servers.create(draft, service.owner).view.server.id
    try await service.settle()
    #expect(await failure { _ = try await service.resize(id, to: 2) }?.code == .insufficientCredit)
    let poor = try await service.newCaller(credit: Money(microunits: 5_000)).caller
    let other = try await service.activeServer(of: poor)
    let refused = await failure { _ = try await service.resize(other, to: 1, poor) }
    #expect(refused?.message.contains("costs 0.03 per hour and your balance is 0.00") == true)
    #expect(try await service.contradictionsAtRest() == [])
  }
}

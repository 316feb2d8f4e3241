import Core
import Foundation
import Testing

extension ComputeDriverConformance {
  /// Where the driver offers no moves, no other host may say that it takes its machines.
  func moving() async throws {
    guard let neighbour else {
      #expect((driver as? any MachineReceiver)?.canReceive(from: driver) != true)
      return
    }
    #expect(neighbour.canReceive(from: driver) && !neighbour.canReceive(from: neighbour))
    try await abortedMove(to: neighbour)
    try await completeMove(to: neighbour)
  }

  private func abortedMove(to neighbour: any MachineReceiver) async throws {
    try await withMachine { specification in
      let machine = specification.machine
      await expectError(.notFound) { _ = try await neighbour.ensureReceived(machine, from: driver) }
      #expect(try await !neighbour.endReceipt(of: machine, from: driver))
      try await driver.ensureDefined(specification)
      try await driver.start(machine)
      await expectError(.rejected) { _ = try await neighbour.ensureReceived(machine, from: driver) }
      #expect(try await driver.power(of: machine) == .running)
      try await driver.powerOff(machine)
      if try await neighbour.ensureReceived(machine, from: driver) != .done {
        await expectError(.notFound, .busy) { try await neighbour.start(machine) }
      }
      // What came whole before it could be called back stays, and is what there is of the machine.
      guard try await !neighbour.endReceipt(of: machine, from: driver) else {
        return try await neighbour.ensureAbsent(machine)
      }
      try await expectAbsent(machine, at: neighbour)
      try await twice { try await driver.start(machine) }
      #expect(try await driver.power(of: machine) == .running)
    }
  }

  private func completeMove(to neighbour: any MachineReceiver) async throws {
    try await withMachine { specification in
      do {
        try await completeMove(of: specification, to: neighbour)
      } catch {
        try? await neighbour.ensureAbsent(specification.machine)
        throw error
      }
    }
  }

  private func completeMove(of specification: MachineSpecification, to neighbour: any MachineReceiver) async throws {
    let (machine, copy) = (specification.machine, UUID())
    try await driver.ensureDefined(specification)
    let copied = try await copied(machine, as: copy)
    try await moved(machine, from: driver, to: neighbour)
    #expect(try await !neighbour.power(of: machine).isOn)
    #expect(try await neighbour.observe().powers[machine] != nil)
    #expect(try await neighbour.endReceipt(of: machine, from: driver))
    try await twice { try await driver.ensureAbsent(machine) }
    try await expectAbsent(machine, at: driver)

    let own = specification.with(mayCreateDisk: false)
    try await twice { try await neighbour.ensureDefined(own) }
    #expect(try await neighbour.ensureCopied(machine, as: copy) == .done(copied))
    try await twice { try await neighbour.start(machine) }
    try await waitUntil("the guest is ready at its new host") {
      try await neighbour.readiness(of: machine).hasSSHBanner
    }
    // A move that was done is left alone, even by a source that has nothing of the machine any more.
    #expect(try await neighbour.ensureReceived(machine, from: driver) == .done)
    #expect(try await neighbour.power(of: machine) == .running)
    try await neighbour.ensureAbsent(machine)
    try await expectAbsent(machine, at: neighbour)
  }

  private func moved(
    _ machine: UUID, from source: any ComputeDriver, to target: any MachineReceiver
  ) async throws {
    try await waitUntil("the machine has come whole") {
      try await target.ensureReceived(machine, from: source) == .done
    }
    #expect(try await target.ensureReceived(machine, from: source) == .done)
  }

  private func expectAbsent(_ machine: UUID, at host: any ComputeDriver) async throws {
    #expect(try await host.power(of: machine) == .absent)
    #expect(try await host.observe().powers[machine] == nil)
  }
}

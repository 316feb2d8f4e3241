import Core
import Foundation
import SimulatedDriver
import TestSupport
import Testing

@Suite("The simulated driver is a compute driver")
struct ConformanceTests {
  @Test(
    "Promise, with disks of its own and with disks that its neighbour reaches",
    arguments: ComputeDriverConformance.Check.allCases, [false, true])
  func promise(_ check: ComputeDriverConformance.Check, sharesStorage: Bool) async throws {
    try await withSimulatedHost(sharesStorage: sharesStorage) { host in
      let conformance = ComputeDriverConformance(
        driver: host.driver, neighbour: try host.neighbour(), makeSpecification: { host.specification() },
        waitUntil: { what, condition in
          let deadline = host.clock.now + host.driver.timing.bootDeadline
          while try await !condition() {
            host.clock.advance(by: host.driver.timing.pollInterval)
            try #require(host.clock.now < deadline, "Waited in vain until \(what).")
          }
        })
      try await conformance.run(check)
    }
  }
}

import Core
import LibvirtDriver
import TestSupport
import Testing

/// On real machines: one host for all checks, because each starts a libvirtd of its own.
@Suite("The libvirt driver is a compute driver", .serialized)
struct ConformanceTests {
  @Test("It keeps every promise of a compute driver")
  func promises() async throws {
    try await PrivateHost.with { host in
      let conformance = ComputeDriverConformance(
        driver: host.driver, makeSpecification: { try await host.specification() },
        waitUntil: { what, condition in
          try await eventually(what, within: host.driver.timing.bootDeadline, every: .milliseconds(500), condition)
        })
      for check in ComputeDriverConformance.Check.allCases {
        do {
          try await conformance.run(check)
        } catch {
          Issue.record(error, "\(check.testDescription)")
        }
      }
    }
  }
}

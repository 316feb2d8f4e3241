import Core
import Foundation
import SQLStore
import SimulatedDriver
import TestSupport
import Testing

@testable import Engine

/// How long it takes is `make bench-billing`'s to tell.
@Suite("An hour of many servers")
struct ManyHoursTests {
  private static let count = 500

  @Test("Is charged once for each of them")
  func hour() async throws {
    let service = try await TestService(options: BillingTests.instant)
    await service.billing.pollOnce()
    let id = try await service.activeServer()
    try await service.database.multiply(id, count: Self.count)
    service.clock.advance(by: .seconds(3600))
    await service.billing.pollOnce()
    #expect(try await service.database.chargeCount() == Self.count + 1)
    #expect(
      try await service.balance(of: service.owner)
        == Money(microunits: 1_000_000_000_000 - 5_000 * Int64(Self.count)))
  }
}

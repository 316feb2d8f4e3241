import Core
import Foundation
import SQLStore
import SimulatedDriver
import TestSupport
import Testing

@testable import Engine

@Suite("How long it takes to charge an hour of many servers")
struct BillingBench {
  /// `make bench-billing`: with BILLING_BENCH=100000, a minute at most. Otherwise nobody looks at the time.
  static let benchCount = ProcessInfo.processInfo.environment["BILLING_BENCH"].flatMap { Int($0) }
  static let count = benchCount ?? 500

  @Test("An hour of each of them is charged once, and that of a hundred thousand within a minute")
  func hour() async throws {
    let service = try await TestService(options: BillingTests.instant)
    await service.billing.pollOnce()
    let id = try await service.activeServer()
    try await service.database.multiply(id, count: Self.count)
    service.clock.advance(by: .seconds(3600))
    let clock = ContinuousClock()
    let began = clock.now
    await service.billing.pollOnce()
    let elapsed = clock.now - began
    print("\(Self.count) hours were charged in \(elapsed)")
    if Self.benchCount != nil { #expect(elapsed < .seconds(60)) }
    #expect(try await service.database.chargeCount() == Self.count + 1)
    #expect(
      try await service.balance(of: service.owner)
        == Money(microunits: 1_000_000_000_000 - 5_000 * Int64(Self.count)))
  }
}

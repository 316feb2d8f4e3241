import APIClient
import Foundation
import Testing

/// How often everything is broken; not at all unless somebody asks for it.
let chaosTries = ProcessInfo.processInfo.environment["CHAOS_TRIES"].flatMap { Int($0) } ?? 0

/// Everything that can be broken from outside, with real machines: `make chaos`. It takes its time, so that it is no part of
/// `make test`; the quick ones of it are, in `ScarceHostTests`.
@Suite("Chaos", .serialized, .enabled(if: chaosTries > 0))
struct ChaosTests {
  @Test("Whatever is killed, full, locked or broken: the documented end, and nothing without an owner")
  func chaos() async throws {
    let damage = Damage()
    for _ in 0..<chaosTries {
      await scarce(damage)
      await group(damage) { service in try await deathsOfTheService(service, damage) }
      await group(damage) { service in try await deathsAroundMachines(service, damage) }
    }
    print("\n\(damage.table)\n")
    #expect(damage.errors.isEmpty)
  }

  /// A service for several faults, one after the other.
  private func group(_ damage: Damage, _ body: (Service) async throws -> Void) async {
    do {
      try await Service.with { service in try await body(service) }
    } catch {
      damage.note("a service did not come or go: \(error)")
    }
  }

  private func scarce(_ damage: Damage) async {
    await damage.attempt("no free address") { try await ScarceHost.noAddress() }
    await damage.attempt("no free memory") { try await ScarceHost.noMemory() }
    for kind in ScarceHost.Damage.allCases {
      await damage.attempt("a corrupt image") { try await ScarceHost.corruptImage(kind) }
    }
    await damage.attempt("a locked database") { try await ScarceHost.lockedDatabase() }
    await damage.attempt("a read-only database") { try await ScarceHost.readOnlyDatabase() }
    await damage.attempt("a full disk") { try await ScarceHost.fullDisk() }
    await damage.attempt("a full disk under a running guest") { try await ScarceHost.fullDiskUnderGuest() }
  }

  private func deathsOfTheService(_ service: Service, _ damage: Damage) async throws {
    let faults = try await SuddenDeaths(service)
    for moment in SuddenDeaths.Moment.allCases {
      var server: APIClient.Server?
      await damage.attempt("kill -9 of vpsd in a create") {
        let outcome = try await faults.serviceDiesInCreate(at: moment)
        server = outcome.server
        return outcome.recovery
      }
      guard let server else { continue }
      await damage.attempt("kill -9 of vpsd in a delete") {
        try await faults.serviceDiesInDelete(of: server, at: moment)
      }
    }
  }

  private func deathsAroundMachines(_ service: Service, _ damage: Damage) async throws {
    let faults = try await SuddenDeaths(service)
    var first: APIClient.Server?
    await damage.attempt("kill -9 of libvirtd in a create") {
      let outcome = try await faults.libvirtdDiesInCreate()
      first = outcome.server
      return outcome.recovery
    }
    guard let first else { return }
    await damage.attempt("kill -9 of libvirtd, servers active") { try await faults.libvirtdDiesWhileActive(first) }
    await damage.attempt("kill -9 of libvirtd in a stop") { try await faults.libvirtdDiesInStop(first) }
    let second = try await faults.activeServer("second")
    await damage.attempt("kill -9 of a QEMU") { try await faults.machineDies(second) }
    await damage.attempt("the host restarts") { try await faults.hostRestarts(active: second, stopped: first) }
    await damage.attempt("a guest ignores shutdown") { try await faults.guestIgnoresShutdown(second) }
    await damage.attempt("start and delete afterwards") { try await faults.startsAndIsDeleted(first) }
    await damage.attempt("start and delete afterwards") { try await faults.startsAndIsDeleted(second) }
  }
}

import APIClient
import Foundation
import Testing

/// The quick part of `make chaos`: what a host may lack, with the real driver and without a guest that boots.
@Suite("A host that lacks something", .serialized)
struct ScarceHostTests {
  @Test("Without a free address a create is a 503 that leaves nothing, and works after a delete")
  func noAddress() async throws { _ = try await ScarceHost.noAddress() }

  @Test("Without free memory a create is a 503 that leaves nothing, and works after a delete")
  func noMemory() async throws { _ = try await ScarceHost.noMemory() }

  @Test(
    "A damaged image ends a server in error with a reason, and a repaired one helps",
    arguments: ScarceHost.Damage.allCases)
  func corruptImage(damage: ScarceHost.Damage) async throws { _ = try await ScarceHost.corruptImage(damage) }

  @Test("While another program keeps the database locked, writes are a 503 and reads go on")
  func lockedDatabase() async throws { _ = try await ScarceHost.lockedDatabase() }

  @Test("On a read-only data directory the service says why it does not start, and loses nothing")
  func readOnlyDatabase() async throws { _ = try await ScarceHost.readOnlyDatabase() }

  @Test("On a full disk writes are a 503 and reads go on; with room again, everything does")
  func fullDisk() async throws { _ = try await ScarceHost.fullDisk() }

  @Test("A guest whose writes find no room is paused, and goes on by itself when there is some")
  func fullDiskUnderGuest() async throws { _ = try await ScarceHost.fullDiskUnderGuest() }
}

@Suite("The host restarts", .serialized)
struct HostRestartTests {
  @Test("What was active when the operator stopped all comes back with the service; what its owner stopped does not")
  func operatorsRestart() async throws {
    try await Service.with { service in
      let faults = try await SuddenDeaths(service)
      let (running, stopped) = (try await faults.activeServer("back"), try await faults.activeServer("off"))
      _ = try await service.client().perform("stop", on: stopped.id)
      try await status("stopped", of: stopped.id, service.client(), withinSeconds: 180)
      _ = try await faults.operatorRestarts(active: running, stopped: stopped)
      _ = try await faults.startsAndIsDeleted(stopped)
    }
  }

  @Test(
    "What was active comes back by itself, with its disk",
    .enabled(
      if: ProcessInfo.processInfo.environment["VPSD_LIBVIRTD"] != "host", "a libvirtd of the host's goes with the host")
  )
  func restart() async throws {
    try await Service.with { service in
      let faults = try await SuddenDeaths(service)
      let server = try await faults.activeServer("back")
      _ = try await faults.hostRestarts(active: server, stopped: nil)
      _ = try await faults.startsAndIsDeleted(server)
    }
  }
}

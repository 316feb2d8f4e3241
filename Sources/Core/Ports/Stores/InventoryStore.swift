package import struct Foundation.UUID

/// What should be on the host, for the engine that compares it with what is there.
///
/// An `event` is the last one from before the machine was looked at: what has happened to the server since counts more.
package protocol InventoryStore: Sendable {
  /// All servers that are not erased.
  func inventory() async throws -> [InventoryItem]
  /// Those of a host.
  func inventory(of host: ID<Host>) async throws -> [InventoryItem]
  /// Where the servers of these machines belong; nothing of those that belong to no server.
  func hosts(ofMachines machines: [UUID]) async throws -> [UUID: ID<Host>]
  /// An active server without an operation that was seen to shut itself down is stopped. Returns whether it was changed.
  func recordShutdown(of id: ID<Server>, seenAfter event: Int64, at now: Timestamp) async throws -> Bool
  /// A stopped server without an operation that was seen to run is active. Returns whether it was changed.
  func recordRunning(of id: ID<Server>, seenAfter event: Int64, at now: Timestamp) async throws -> Bool
  /// A server in error without an operation that was seen to run, and to be ready, is active. One that was never ready was
  /// given back what was held for its first hour: that is charged now, or it stays in error. Returns whether it was changed.
  func recordReturn(of id: ID<Server>, seenAfter event: Int64, at now: Timestamp) async throws -> Bool
  /// Queues a `recover` operation for an active server without an operation, or, where `limit` of them were begun since
  /// `windowStart`, puts it in `error`. Returns whether it was changed.
  func beginRecovery(
    of id: ID<Server>, limit: Int, since windowStart: Timestamp, seenAfter event: Int64, at now: Timestamp
  ) async throws -> Bool
  /// Queues a `stop` for a suspended server without an operation that was seen to run. Returns whether it was changed.
  func keepOff(_ id: ID<Server>, seenAfter event: Int64, at now: Timestamp) async throws -> Bool

  /// Queues what brings its addresses to this host for each server of it that has a machine, other addresses than the host has taken
  /// over, and nothing to do, unless it was tried since that moment. Returns whether there was one.
  func readdressMissed(on host: ID<Host>, triedBefore moment: Timestamp, at now: Timestamp) async throws -> Bool

  /// Adds measurements to what is stored, all in one transaction.
  func recordUsage(_ samples: [UsageSample], at now: Timestamp) async throws
}

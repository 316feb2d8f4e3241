package import struct Foundation.UUID

/// The machines that should be on hosts, for the engine that compares them with those that are there.
///
/// A parameter `event` is the id of the last event from before the machine was observed. If the server has had a newer
/// event, the observation is outdated, and nothing is changed.
package protocol InventoryStore: Sendable {
  /// What the host has to remove because of moves, at most this many.
  func leftovers(on host: ID<Host>, after last: ID<Operation>?, limit: Int) async throws -> [LeftoverMachine]
  /// Gives back what was reserved of the host for a leftover that it has removed.
  func recordRemoval(of leftover: LeftoverMachine, on host: ID<Host>) async throws
  /// Those of the machines whose servers have been moved away from the host, or were to come to it and did not, and that
  /// are not on their way to it now.
  func movedMachines(among machines: [UUID], notOn host: ID<Host>) async throws -> Set<UUID>
  /// Undoes the moves of the host's servers whose new host is away, from this step on. Returns whether there was any.
  func reclaimMoves(from host: ID<Host>, by step: String, because reason: String, at now: Timestamp) async throws
    -> Bool
  /// The machines that the host has still to take over from hosts that were lost, at most this many.
  func awaitedMachines(on host: ID<Host>, after last: ID<Operation>?, limit: Int) async throws -> [AwaitedMachine]
  /// Records that the host has taken the machine over: work for its server goes on.
  func recordArrival(of awaited: AwaitedMachine, on host: ID<Host>) async throws
  /// All servers that are not erased, in the order of their ids.
  func inventory() async throws -> [InventoryItem]
  /// The same for one host.
  func inventory(of host: ID<Host>) async throws -> [InventoryItem]
  /// The hosts of the servers that these machines belong to; machines that belong to no server are left out.
  func hosts(ofMachines machines: [UUID]) async throws -> [UUID: ID<Host>]
  /// Call this if a machine was seen to have shut itself down. An active server without an operation becomes stopped.
  /// Returns whether it did.
  func recordShutdown(of id: ID<Server>, seenAfter event: Int64, at now: Timestamp) async throws -> Bool
  /// Call this if a machine was seen to run. A stopped server without an operation becomes active. Returns whether it
  /// did.
  func recordRunning(of id: ID<Server>, seenAfter event: Int64, at now: Timestamp) async throws -> Bool
  /// Call this if a machine was seen to run and to be ready. A server in error without an operation becomes active. If
  /// it was never ready before, its first hour, whose hold was released, is charged now; if that fails, it stays in
  /// error. Returns whether it became active.
  func recordReturn(of id: ID<Server>, seenAfter event: Int64, at now: Timestamp) async throws -> Bool
  /// Queues a `recover` operation for an active server without an operation; if `limit` of them were begun since
  /// `windowStart`, sets its status to `error` instead. Returns whether the server was changed.
  func beginRecovery(
    of id: ID<Server>, limit: Int, since windowStart: Timestamp, seenAfter event: Int64, at now: Timestamp
  ) async throws -> Bool
  /// Call this if the machine of a suspended server was seen to run. Queues a `stop`, unless it has an operation.
  /// Returns whether it did.
  func keepOff(_ id: ID<Server>, seenAfter event: Int64, at now: Timestamp) async throws -> Bool

  /// Queues a `readdress` for each server of the host that has a machine, no unfinished operation, and addresses that
  /// the host has not applied yet, unless a `readdress` of it has ended since `moment`. Returns whether any was queued.
  func readdressMissed(on host: ID<Host>, triedBefore moment: Timestamp, at now: Timestamp) async throws -> Bool

  /// Adds measurements to the stored usage, all in one transaction. Leaves out those of servers that were off, or moved, since they
  /// were measured.
  func recordUsage(_ samples: [UsageSample], at now: Timestamp) async throws
}

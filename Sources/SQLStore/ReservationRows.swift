import Core

/// A server's share of its host is reserved until the server is erased, or has failed before anything was made of it.
extension SQLConnection {
  /// Reserves room for both plans while the server is being resized.
  func reserve(alsoFor plan: Plan, _ server: ID<Server>) throws {
    try run(
      """
      UPDATE server SET vcpus = CASE WHEN vcpus < ?1 THEN ?1 ELSE vcpus END,
        memory_mib = CASE WHEN memory_mib < ?2 THEN ?2 ELSE memory_mib END,
        storage_gib = CASE WHEN storage_gib < ?3 THEN ?3 ELSE storage_gib END
      WHERE id = ?4
      """,
      [plan.vcpus, plan.memoryMiB, plan.storageGiB, server])
  }

  /// Reserves what the server's present plan needs, after a resize has succeeded or failed.
  func reserveByPlan(_ server: ID<Server>) throws {
    try run(
      """
      UPDATE server SET (vcpus, memory_mib, storage_gib) =
        (SELECT vcpus, memory_mib, storage_gib FROM plan WHERE plan.id = server.plan_id)
      WHERE id = ? AND vcpus > 0
      """,
      [server])
  }

  /// Releases the share and the addresses of a server of which nothing was made: only its row is left, to be deleted.
  func giveShareBack(of server: ID<Server>, at now: Timestamp) throws {
    try run("UPDATE server SET vcpus = 0, memory_mib = 0, storage_gib = 0 WHERE id = ?", [server])
    try releaseAddresses(of: server, at: now)
  }
}

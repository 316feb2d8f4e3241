import Core

/// A server takes its share of its host until nothing is left of it, or nothing was made of it.
extension SQLConnection {
  /// While it is on its way to another plan, a server has room for both.
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

  /// The way to another plan is over, wherever it has led.
  func reserveByPlan(_ server: ID<Server>) throws {
    try run(
      """
      UPDATE server SET (vcpus, memory_mib, storage_gib) =
        (SELECT vcpus, memory_mib, storage_gib FROM plan WHERE plan.id = server.plan_id)
      WHERE id = ? AND vcpus > 0
      """,
      [server])
  }

  /// Nothing was made of the server, and it can only be deleted: all that it has is its row.
  func giveShareBack(of server: ID<Server>, at now: Timestamp) throws {
    try run("UPDATE server SET vcpus = 0, memory_mib = 0, storage_gib = 0 WHERE id = ?", [server])
    try releaseAddresses(of: server, at: now)
  }
}

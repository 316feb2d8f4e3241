import Core

extension SQLConnection {
  /// A server takes its share of the host until nothing is left of it, or nothing was made of it.
  ///
  /// - Parameter resized: The server that is to have the plan instead of what it has; nil for a new one.
  func requireRoom(
    for plan: Plan, insteadOf resized: ID<Server>? = nil, at location: String, in capacity: HostCapacity
  ) throws {
    let (all, own) = (try reserved(), try reserved(by: resized))
    // Whoever needs no more of something than before is not refused because others have too much of it.
    guard Self.fits(plan.vcpus, own.vcpus, all.vcpus, capacity.vcpus),
      Self.fits(plan.memoryMiB, own.memoryMiB, all.memoryMiB, capacity.memoryMiB),
      Self.fits(plan.storageGiB, own.storageGiB, all.storageGiB, capacity.storageGiB)
    else {
      throw Failure(.noCapacity, "No capacity at \(location) for this plan.")
    }
  }

  private static func fits(_ wanted: Int, _ own: Int, _ all: Int, _ capacity: Int) -> Bool {
    wanted <= own || all - own + wanted <= capacity
  }

  /// What all servers have reserved, or one of them.
  private func reserved() throws -> HostCapacity {
    try reserved("erased_at IS NULL", [])
  }

  private func reserved(by server: ID<Server>?) throws -> HostCapacity {
    guard let server else { return HostCapacity(vcpus: 0, memoryMiB: 0, storageGiB: 0) }
    return try reserved("id = ?", [server])
  }

  private func reserved(_ condition: String, _ arguments: SQLArguments) throws -> HostCapacity {
    let sums = try rows(
      """
      SELECT COALESCE(SUM(vcpus), 0), COALESCE(SUM(memory_mib), 0), COALESCE(SUM(storage_gib), 0)
      FROM server WHERE \(condition)
      """,
      arguments
    ) { row in
      HostCapacity(vcpus: try row.next(), memoryMiB: try row.next(), storageGiB: try row.next())
    }
    return try sums.first.orFail("there is no sum")
  }

  /// While it is on its way to another plan, a server has room for both.
  func reserve(alsoFor plan: Plan, _ server: ID<Server>) throws {
    try run(
      """
      UPDATE server SET vcpus = MAX(vcpus, ?), memory_mib = MAX(memory_mib, ?), storage_gib = MAX(storage_gib, ?)
      WHERE id = ?
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
  func giveShareBack(of server: ID<Server>) throws {
    try run("UPDATE server SET vcpus = 0, memory_mib = 0, storage_gib = 0 WHERE id = ?", [server])
    try run("DELETE FROM address WHERE server_id = ?", [server])
  }
}

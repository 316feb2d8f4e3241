package import Core

extension SQLStore {
  package func requestResize(
    of id: ID<Server>, to plan: Plan, by caller: Caller, at now: Timestamp
  ) async throws -> RequestedOperation? {
    try await write { database in
      guard let server = try database.server(id, of: caller.accountID) else { return nil }
      try database.requireNotSuspended(id)
      try database.requireNoRescue(server)
      try server.status.requireChangeable(hasDisk: server.machine.hasDisk)
      try database.requireNoMove(id)
      guard try !database.hasUnfinished(.resize, on: id) else {
        throw Failure(.conflict, "Server is being resized already.")
      }
      let current = try database.catalogue().plan(server.planID).orFail("plan \(server.planID) is missing")
      try plan.requireFit(insteadOf: current, at: server.location)
      try database.requireOffered(plan, at: server.location)
      if plan.pricePerHour > current.pricePerHour {
        try database.requireCredit(plan.pricePerHour, of: server.accountID)
      }
      try database.requireRoom(for: plan, insteadOf: server)
      try database.reserve(alsoFor: plan, id)
      let operation = try database.queue(.resize, about: plan.id.value, on: id, by: caller.requesterID, at: now)
      try database.audit("server.resize", on: id, operation: operation.id, detail: plan.slug, by: caller, at: now)
      let changed = try database.server(id, of: caller.accountID).orFail("the server is gone")
      return RequestedOperation(server: changed, operation: operation)
    }
  }
}

extension Plan {
  fileprivate func requireFit(insteadOf current: Plan, at location: String) throws(Failure) {
    let message: String
    if id == current.id {
      message = "The server has this plan already."
    } else if !locations.contains(location) {
      message = "This plan is not available at \(location)."
    } else if storageGiB < current.storageGiB {
      message =
        "The disk of this plan (\(storageGiB) GiB) is smaller than the server's (\(current.storageGiB) GiB). "
        + "Disks cannot shrink."
    } else {
      return
    }
    throw .invalid(.plan, message)
  }
}

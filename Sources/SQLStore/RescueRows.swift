import Core

extension Rescue {
  /// The columns of `rescue` in an outer join; to be read by `RowReader.rescue`.
  static let columns = """
    rescue.is_entered, rescue.awaits_first_boot, rescue.image_version, rescue.authorized_key, rescue.root_password_hash
    """
}

extension RowReader {
  mutating func rescue() throws -> Rescue? {
    let (isEntered, awaitsFirstBoot): (Bool?, Bool?) = (try next(), try next())
    let version: String? = try next()
    let (key, hash): (String?, String?) = (try next(), try next())
    guard let isEntered, let awaitsFirstBoot else { return nil }
    return Rescue(
      imageVersion: version, authorizedKey: key, rootPasswordHash: hash, isEntered: isEntered,
      awaitsFirstBoot: awaitsFirstBoot)
  }
}

extension SQLConnection {
  /// Throws where a rescue system uses the server's disk, or is about to: for operations that would change the disk.
  func requireNoRescue(_ server: Server) throws(Failure) {
    guard server.machine.rescue == nil else { throw .inRescue }
  }

  func enterRescue(_ server: ID<Server>, by operation: Operation, _ imageVersion: String) throws {
    // A server that this operation has not taken down was in transition, and counts as active afterwards.
    try run(
      """
      UPDATE rescue SET is_entered = 1, image_version = ?,
        former_status = COALESCE((SELECT former_status FROM operation WHERE id = ?), 'active')
      WHERE server_id = ?
      """,
      [imageVersion, operation.id, server])
  }

  func leaveRescue(_ server: ServerUnderWork, at now: Timestamp) throws {
    let former = try value(
      ServerStatus.self, "SELECT former_status FROM rescue WHERE server_id = ? AND is_entered = 1", [server.id])
    try run("DELETE FROM rescue WHERE server_id = ?", [server.id])
    guard former == .stopped, server.status == .rebooting, !server.isDeleted else { return }
    try setStatus(server.isToBeSuspended ? .suspended : .stopped, of: server.id, at: now)
    try resetUsage(of: server.id)
  }
}

import Core

import struct Foundation.UUID

extension Server: RowReadable {
  static let columns = """
    server.id, server.uuid, server.account_id, server.name, server.hostname, server.status, server.status_reason, \
    server.plan_id, server.operating_system_id, server.location, server.host_id, address.number, network.number, server.is_backup_enabled, \
    server.created_at, server.updated_at, server.image_version, server.authorized_key, server.root_password_hash, \
    server.has_disk, server.was_ever_ready, server.awaits_first_boot, \
    server.awaits_new_disk, server.hardware_address
    """

  static let query = """
    SELECT \(columns) FROM server LEFT JOIN address ON address.server_id = server.id AND address.family = 4 \
    LEFT JOIN address AS network ON network.server_id = server.id AND network.family = 6
    """

  init(from row: inout RowReader) throws {
    self.init(
      id: try row.next(), uuid: try row.next(), accountID: try row.next(), name: try row.next(),
      hostname: try row.next(), status: try row.next(), statusReason: try row.next(), planID: try row.next(),
      operatingSystemID: try row.next(), location: try row.next(), hostID: try row.next(),
      address: try row.next(), ipv6Network: try row.next(), isBackupEnabled: try row.next(),
      createdAt: try row.next(), updatedAt: try row.next(),
      machine: Machine(
        imageVersion: try row.next(), authorizedKey: try row.next(), rootPasswordHash: try row.next(),
        hasDisk: try row.next(), wasEverReady: try row.next(), awaitsFirstBoot: try row.next(),
        awaitsNewDisk: try row.next(), hardwareAddress: try row.next()))
  }
}

extension SQLConnection {
  /// As its customer sees it.
  func server(_ id: ID<Server>, of account: ID<Account>) throws -> Server? {
    try first(
      "\(Server.query) WHERE server.id = ? AND server.account_id = ? AND server.deleted_at IS NULL", [id, account])
  }

  /// As the engine sees it: deleted ones too, until they are erased.
  func server(_ id: ID<Server>) throws -> Server? {
    try first("\(Server.query) WHERE server.id = ? AND server.erased_at IS NULL", [id])
  }

  func setStatus(_ status: ServerStatus, reason: String? = nil, of id: ID<Server>, at now: Timestamp) throws {
    if status == .error,
      try value(ServerStatus.self, "SELECT status FROM server WHERE id = ?", [id]) != .error
    {
      try tellServer(id, .serversFailed, reason, at: now)
    }
    try run(
      """
      UPDATE server SET status = ?, status_reason = ?,
        updated_at = CASE WHEN status = ? THEN updated_at ELSE ? END
      WHERE id = ?
      """,
      [status, reason, status, now, id])
  }
}

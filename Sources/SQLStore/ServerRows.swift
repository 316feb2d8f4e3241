import Core

import struct Foundation.UUID

extension Server: RowReadable {
  static let columns = """
    server.id, server.uuid, server.account_id, server.name, server.hostname, server.status, server.status_reason, \
    server.plan_id, server.operating_system_id, server.location, server.host_id, server.address_revision, server.address_applied_revision, \(ServerAddresses.column), server.is_backup_enabled, \
    server.created_at, server.updated_at, server.image_version, server.authorized_key, server.root_password_hash, \
    server.has_disk, server.was_ever_ready, server.awaits_first_boot, \
    server.awaits_new_disk, server.hardware_address, \(Rescue.columns), \
    \(Labels.column), server.is_delete_protected, server.user_data_failed, \
    server.is_user_data_unknown, server.is_instant
    """

  static let query = """
    SELECT \(columns) FROM server LEFT JOIN rescue ON rescue.server_id = server.id
    """

  /// Of an operation, by its id and the token of its lease; also finds a deleted server, until it is erased.
  static let queryUnderLease = """
    \(query) WHERE server.erased_at IS NULL
      AND server.id = (SELECT server_id FROM operation WHERE operation.id = ? AND lease_token = ?)
    """
  static let queryUnderLeaseUnlessDeleted = "\(queryUnderLease) AND server.deleted_at IS NULL"

  init(from row: inout RowReader) throws {
    let (id, uuid, accountID): (ID<Server>, UUID, ID<Account>) = (try row.next(), try row.next(), try row.next())
    let (name, hostname): (ServerName, Hostname) = (try row.next(), try row.next())
    let (status, statusReason): (ServerStatus, String?) = (try row.next(), try row.next())
    let (planID, systemID): (ID<Plan>, ID<OperatingSystem>) = (try row.next(), try row.next())
    let (location, hostID): (String, ID<Host>) = (try row.next(), try row.next())
    let addresses = try row.addresses()
    let isBackupEnabled: Bool = try row.next()
    let (createdAt, updatedAt): (Timestamp, Timestamp) = (try row.next(), try row.next())
    let machine = Machine(
      imageVersion: try row.next(), authorizedKey: try row.next(), rootPasswordHash: try row.next(),
      hasDisk: try row.next(), wasEverReady: try row.next(), awaitsFirstBoot: try row.next(),
      awaitsNewDisk: try row.next(), hardwareAddress: try row.next(), rescue: try row.rescue())
    self.init(
      id: id, uuid: uuid, accountID: accountID, name: name, hostname: hostname, status: status,
      statusReason: statusReason, planID: planID, operatingSystemID: systemID, location: location, hostID: hostID,
      addresses: addresses, isBackupEnabled: isBackupEnabled, createdAt: createdAt, updatedAt: updatedAt,
      labels: try row.labels(), isDeleteProtected: try row.next(), userDataTrouble: try row.userDataTrouble(),
      isInstant: try row.next(), machine: machine)
  }
}

extension RowReader {
  fileprivate mutating func userDataTrouble() throws -> UserDataTrouble? {
    let (hasFailed, isUnknown): (Bool, Bool) = (try next(), try next())
    return hasFailed ? .failed : isUnknown ? .unknown : nil
  }
}

extension ServerAddresses {
  /// All of them in one column, so that a list of servers is read in one go; to be read by `RowReader.addresses`.
  fileprivate static let column = """
    (SELECT group_concat(family || ':' || rank || ':' || base || ':' || number || ':' || is_leaving, ' ') \
    FROM address WHERE address.server_id = server.id AND address.is_arriving = 0)
    """
}

extension RowReader {
  fileprivate mutating func addresses() throws -> ServerAddresses {
    let (revision, applied) = (try next(Int64.self), try next(Int64.self))
    let texts = (try next(String?.self) ?? "").split(separator: " ")
    let given = try texts.map { text -> (family: Int64, rank: Int64, address: ServerAddress, isLeaving: Bool) in
      let numbers = text.split(separator: ":").compactMap { Int64($0) }
      guard numbers.count == 5, let family = ServerAddress.Family(rawValue: Int(numbers[0])),
        let address = ServerAddress(family, base: numbers[2], orderKey: numbers[3])
      else { throw Failure.internalError("there is an address that is none") }
      return (numbers[0], numbers[1], address, numbers[4] != 0)
    }
    return ServerAddresses(
      given.sorted { ($0.family, $0.rank) < ($1.family, $1.rank) }.map { ($0.address, $0.isLeaving) },
      revision: revision, isApplied: applied == revision)
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

import Core

extension DiskCopy: RowReadable {
  static let columns = """
    disk_copy.id, disk_copy.uuid, disk_copy.server_id, server.name, disk_copy.kind, disk_copy.name, \
    disk_copy.description, disk_copy.status, disk_copy.status_reason, disk_copy.size_bytes, disk_copy.checksum, \
    disk_copy.created_at, disk_copy.expires_at
    """

  static let query = "SELECT \(columns) FROM disk_copy JOIN server ON server.id = disk_copy.server_id"

  init(from row: inout RowReader) throws {
    self.init(
      id: try row.next(), uuid: try row.next(), serverID: try row.next(), serverName: try row.next(),
      kind: try row.next(), name: try row.next(), description: try row.next(), status: try row.next(),
      statusReason: try row.next(), sizeBytes: try row.next(), checksum: try row.next(), createdAt: try row.next(),
      expiresAt: try row.next())
  }
}

/// The SQL condition that selects the copies for a list. It is one text for all filters.
enum DiskCopySelection {
  static func condition(_ family: DiskCopy.Family) -> String {
    """
    server.account_id = ?1 AND server.deleted_at IS NULL AND disk_copy.deleted_at IS NULL AND \(family.condition)
      AND (CAST(?2 AS BIGINT) IS NULL OR disk_copy.server_id = ?2) AND (CAST(?3 AS TEXT) IS NULL OR disk_copy.kind = ?3)
      AND (CAST(?4 AS TEXT) IS NULL OR disk_copy.status = ?4) AND (CAST(?5 AS TEXT) IS NULL OR lower(disk_copy.name) = lower(?5))
    """
  }

  static func arguments(
    _ filter: DiskCopyFilter, of account: ID<Account>
  ) -> SQLArguments {
    [account, filter.serverID, filter.kind, filter.status, filter.name]
  }
}

extension DiskCopy.Family {
  fileprivate var condition: String {
    switch self {
    case .backup: "disk_copy.kind IN ('manual', 'automatic')"
    case .snapshot: "disk_copy.kind = 'snapshot'"
    }
  }
}

extension Operation {
  /// The copy that an operation on a copy is about.
  var copyID: ID<DiskCopy>? { subjectID.map { ID($0) } }
}

extension SQLConnection {
  /// As its customer sees it.
  func diskCopy(_ id: ID<DiskCopy>, _ family: DiskCopy.Family, of account: ID<Account>) throws -> DiskCopy? {
    try first(
      """
      \(DiskCopy.query) WHERE disk_copy.id = ? AND server.account_id = ? AND server.deleted_at IS NULL
        AND disk_copy.deleted_at IS NULL AND \(family.condition)
      """,
      [id, account])
  }

  /// As the engine sees it: hidden ones too, until they are erased.
  func diskCopy(_ id: ID<DiskCopy>) throws -> DiskCopy? {
    try first("\(DiskCopy.query) WHERE disk_copy.id = ? AND disk_copy.erased_at IS NULL", [id])
  }

  func isHidden(_ id: ID<DiskCopy>) throws -> Bool {
    try value(Bool.self, "SELECT deleted_at IS NOT NULL FROM disk_copy WHERE id = ?", [id])
      .orFail("there is no copy \(id)")
  }

  // MARK: The end of copies

  /// Hides the copy, cancels the operation that is making it unless a step is in flight, and queues the removal of its file.
  ///
  /// Returns the operation that removes the file; nil where the file is gone.
  @discardableResult
  func discard(_ copy: DiskCopy, by token: ID<Token>?, at now: Timestamp) throws -> ID<Operation>? {
    try run("UPDATE disk_copy SET deleted_at = COALESCE(deleted_at, ?) WHERE id = ?", [now, copy.id])
    try cancelOvertaken(at: now)
    return try queueDiscard(of: copy, by: token, at: now)
  }

  /// Queues the removal of the copy's file, or returns the operation that is removing it; nil where the file is gone.
  @discardableResult
  func queueDiscard(of copy: DiskCopy, by token: ID<Token>?, at now: Timestamp) throws -> ID<Operation>? {
    guard try diskCopy(copy.id) != nil else { return nil }
    let underWay = try value(
      ID<Operation>.self,
      "SELECT id FROM operation WHERE subject_id = ? AND kind = 'discard' AND finished_at IS NULL", [copy.id])
    return try underWay ?? queue(.discard, about: copy.id.value, on: copy.serverID, by: token, at: now).id
  }

  func hideCopies(of server: ID<Server>, at now: Timestamp) throws {
    try run("UPDATE disk_copy SET deleted_at = ? WHERE server_id = ? AND deleted_at IS NULL", [now, server])
  }

  /// The driver has removed them together with the machine.
  func eraseCopies(of server: ID<Server>, at now: Timestamp) throws {
    try run(
      """
      UPDATE disk_copy SET deleted_at = COALESCE(deleted_at, ?), erased_at = ?
      WHERE server_id = ? AND erased_at IS NULL
      """,
      [now, now, server])
  }

  // MARK: What a step came to

  func applyToCopy(
    _ effect: StepOutcome.Effect, of next: StepOutcome.Next, by operation: Operation, at now: Timestamp
  ) throws {
    switch effect {
    case .copyCompleted(let sizeBytes, let checksum):
      try run(
        """
        UPDATE disk_copy SET status = 'completed', completed_at = ?, size_bytes = ?, checksum = ?,
          (operating_system_id, image_version, awaits_first_boot) =
            (SELECT operating_system_id, image_version, awaits_first_boot FROM server WHERE id = disk_copy.server_id)
        WHERE id = ?
        """,
        [now, sizeBytes, checksum, operation.copyID])
    case .copyFailed(let isErased):
      try run(
        "UPDATE disk_copy SET status = 'failed', status_reason = ?, erased_at = ? WHERE id = ?",
        [next.customerReason, isErased ? now : nil, operation.copyID])
      if let copy = operation.copyID { try tellOfFailure(of: copy, next.customerReason, at: now) }
    case .copyErased:
      try run("UPDATE disk_copy SET erased_at = COALESCE(erased_at, ?) WHERE id = ?", [now, operation.copyID])
    case .restored:
      try run(
        """
        UPDATE server SET has_disk = 1, awaits_new_disk = 0, (operating_system_id, image_version, awaits_first_boot) =
          (SELECT operating_system_id, image_version, awaits_first_boot FROM disk_copy WHERE id = ?)
        WHERE id = ?
        """,
        [operation.copyID, operation.serverID])
      // A disk that has booted keeps the password that it was given at its first boot.
      try run(
        "UPDATE server SET root_password_hash = NULL WHERE id = ? AND awaits_first_boot = 0", [operation.serverID])
    default: break
    }
  }
}

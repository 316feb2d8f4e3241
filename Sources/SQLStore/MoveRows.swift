import Core

/// A row of `server_move`.
struct MoveRow: RowReadable {
  static let columns = "move.server_id, move.from_host_id, move.to_host_id, move.from_location, move.to_location"

  /// Whether the host that a server goes to may have begun to receive it, and nobody has undone that.
  static let isComing = """
    (move.switched_at IS NULL AND EXISTS (SELECT 1 FROM operation WHERE operation.id = move.operation_id
      AND operation.finished_at IS NULL AND operation.customer_reason IS NULL))
    """

  let serverID: ID<Server>
  let source: ID<Host>
  let target: ID<Host>
  let formerLocation: String
  let location: String

  init(from row: inout RowReader) throws {
    serverID = try row.next()
    source = try row.next()
    target = try row.next()
    formerLocation = try row.next()
    location = try row.next()
  }
}

extension MoveRecord {
  /// Of `server_move AS move` in an outer join; to be read by `RowReader.moveRecord`.
  static let columns = """
    move.from_location, move.to_location, move.old_address, \
    CASE WHEN move.switched_at IS NOT NULL THEN move.new_address END, move.on_at - move.off_at
    """
}

extension RowReader {
  /// Nil where the operation is no move.
  mutating func moveRecord() throws -> MoveRecord? {
    let (from, to): (String?, String?) = (try next(), try next())
    let (old, new): (Int64?, Int64?) = (try next(), try next())
    let downtime = try next(Int64?.self)
    guard let from, let to else { return nil }
    func address(_ number: Int64?) -> IPv4Address? { number.flatMap { IPv4Address(number: 0).sibling($0) } }
    return MoveRecord(
      fromLocation: from, toLocation: to, oldAddress: address(old), newAddress: address(new),
      downtime: downtime.map { .milliseconds(max(0, $0)) })
  }
}

extension SQLConnection {
  /// Throws where the server is being moved: its share of both hosts is reserved as it was ordered.
  func requireNoMove(_ server: ID<Server>) throws {
    guard try !hasUnfinished(.move, on: server) else { throw Failure(.conflict, "Server is being moved already.") }
  }

  /// Queues the move to the best of the receivers, which begins it, with everything that it reserves.
  ///
  /// - Parameter pools: Of the location; nil for the server's own, where it keeps its addresses.
  func queueMove(
    of server: Server, _ plan: Plan, _ order: MoveOrder, pools: AddressPools.Pair?, by token: ID<Token>?,
    at now: Timestamp
  ) throws -> Core.Operation {
    let beside = try rows(
      "SELECT other_host_id FROM server_move WHERE server_id = ? AND other_host_id IS NOT NULL", [server.id]
    ) {
      row in try row.next(ID<Host>.self)
    }
    let target = try chooseHost(for: plan, at: order.location) { host in
      order.receivers.contains(host.id) && host.id != server.hostID && !beside.contains(host.id)
    }
    let operation = try queue(.move, on: server.id, by: token, at: now)
    try run("UPDATE operation SET host_id = ? WHERE id = ?", [target.id, operation.id])
    let address =
      order.location == server.location
      ? server.address : try reserveAddresses(for: server, at: order.location, pools, at: now)
    try run(
      """
      INSERT INTO server_move (operation_id, server_id, from_host_id, to_host_id, from_location, to_location,
        other_host_id, vcpus, memory_mib, storage_gib, old_address, new_address)
      SELECT ?, id, host_id, ?, location, ?, ?, vcpus, memory_mib, storage_gib, ?, ? FROM server WHERE id = ?
      """,
      [
        operation.id, target.id, order.location, target.id, server.address?.orderKey, address?.orderKey, server.id,
      ])
    return operation
  }

  /// Reserves as many addresses as the server has, and returns the first of IPv4.
  private func reserveAddresses(
    for server: Server, at location: String, _ pools: AddressPools.Pair?, at now: Timestamp
  ) throws -> IPv4Address? {
    guard let pools else { throw Failure.internalError("A move to another location lacks its pools.") }
    var first: IPv4Address?
    for _ in 0..<max(1, server.addresses.ipv4.count) {
      let address = try assignAddress(of: pools.ipv4, to: server.id, location: location, isArriving: true, at: now)
      first = first ?? address
    }
    guard let pool = pools.ipv6 else { return first }
    for _ in 0..<max(1, server.addresses.ipv6.count) {
      try assignNetwork(of: pool, to: server.id, location: location, isArriving: true, at: now)
    }
    return first
  }

  func releaseArrivingAddresses(of server: ID<Server>, at now: Timestamp) throws {
    let arriving = try rows(
      "SELECT \(ServerAddress.columns) FROM address WHERE server_id = ? AND is_arriving = 1", [server]
    ) { row in try row.address() }
    for address in arriving { try release(address.given, of: server, at: now) }
  }

  // MARK: Its course

  func move(_ operation: ID<Core.Operation>) throws -> MoveRow {
    let move: MoveRow? = try first(
      "SELECT \(MoveRow.columns) FROM server_move AS move WHERE operation_id = ?", [operation])
    return try move.orFail("there is no move \(operation)")
  }

  /// The server's own host goes on with the operation. Its downtime begins.
  func leaveMoveToSource(_ operation: ID<Core.Operation>, of server: ServerUnderWork, at now: Timestamp) throws {
    let move = try move(operation)
    try run("UPDATE operation SET host_id = ? WHERE id = ?", [move.source, operation])
    guard server.status == .rebooting else { return }
    try run("UPDATE server_move SET off_at = ? WHERE operation_id = ?", [now, operation])
  }

  func leaveMoveToTarget(_ operation: ID<Core.Operation>) throws {
    try run("UPDATE operation SET host_id = ? WHERE id = ?", [move(operation).target, operation])
  }

  /// From now on the server is where its whole machine has come, and everything else that is to be done for it is done there.
  func switchHost(of server: ID<Server>, by operation: ID<Core.Operation>, at now: Timestamp) throws {
    let move = try move(operation)
    try run(
      "UPDATE server SET host_id = ?, location = ?, updated_at = ? WHERE id = ?",
      [move.target, move.location, now, server])
    try run("UPDATE operation SET host_id = ? WHERE server_id = ? AND finished_at IS NULL", [move.target, server])
    try run(
      "UPDATE server_move SET other_host_id = ?, switched_at = ? WHERE operation_id = ?",
      [move.source, now, operation])
    try touchFirewall(of: server)
    guard move.location != move.formerLocation else { return }
    // The next definition of the machine, at its new host, releases those that leave.
    try run("UPDATE address SET is_leaving = 1 WHERE server_id = ? AND is_arriving = 0", [server])
    try run("UPDATE address SET is_arriving = 0 WHERE server_id = ? AND is_arriving = 1", [server])
    try run("UPDATE server SET address_revision = address_revision + 1 WHERE id = ?", [server])
    let address = try value(
      Int64.self,
      "SELECT number FROM address WHERE server_id = ? AND family = 4 AND is_leaving = 0 ORDER BY rank LIMIT 1",
      [server])
    try run("UPDATE server_move SET new_address = ? WHERE operation_id = ?", [address, operation])
  }

  /// The server stays where it is, and its host goes on with the operation.
  func giveUpMove(_ operation: ID<Core.Operation>, of server: ID<Server>, at now: Timestamp) throws {
    try run(
      "UPDATE operation SET host_id = (SELECT host_id FROM server WHERE id = ?) WHERE id = ?", [server, operation])
    try releaseArrivingAddresses(of: server, at: now)
  }

  /// To be called at the end of a move, however it ends.
  func endMove(_ operation: ID<Core.Operation>, of server: ID<Server>, at now: Timestamp) throws {
    try releaseArrivingAddresses(of: server, at: now)
    try run(
      """
      UPDATE server_move SET on_at = ? WHERE operation_id = ? AND off_at IS NOT NULL AND switched_at IS NOT NULL
        AND (SELECT status FROM server WHERE server.id = server_move.server_id) = 'active'
      """,
      [now, operation])
  }

  // MARK: Moves to hosts that are away

  func movesToHostsThatAreAway(from host: ID<Host>) throws -> [ID<Core.Operation>] {
    try rows(
      """
      SELECT operation.id FROM server_move AS move JOIN operation ON operation.id = move.operation_id
      JOIN host AS target ON target.id = move.to_host_id
      WHERE move.from_host_id = ? AND move.other_host_id = move.to_host_id AND move.switched_at IS NULL
        AND operation.finished_at IS NULL AND operation.host_id = move.to_host_id
        AND operation.customer_reason IS NULL AND (target.away_since IS NOT NULL OR target.is_configured = 0)
      """,
      [host]
    ) { row in try row.next() }
  }

  /// Whoever runs a step of the move at the moment loses its lease.
  func undoMove(_ id: ID<Core.Operation>, by step: String, because reason: String, at now: Timestamp) throws {
    let operation: Core.Operation? = try first("SELECT \(Core.Operation.columns) FROM operation WHERE id = ?", [id])
    let found = try operation.orFail("there is no operation \(id)")
    try rollBack(try serverUnderWork(found.serverID), by: found, because: reason, atStep: step, at: now)
  }
}

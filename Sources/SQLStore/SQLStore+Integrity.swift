import Core

extension SQLStore {
  /// All contradictions in the database, a line each. There should be none at any moment.
  package func contradictions() async throws -> [String] {
    try await read { database in
      var found: [String] = []
      for (promise, query) in Self.brokenPromises {
        let broken = try database.rows(query) { row in try row.next(Int64.self) }
        if !broken.isEmpty { found.append("\(promise): \(broken)") }
      }
      return try found + database.damage()
    }
  }

  /// What holds after each transaction, with a query for the ids of the rows that violate it.
  private static let brokenPromises = [
    (
      "an account's balance is the sum of its ledger, and not negative",
      """
      SELECT id FROM account WHERE balance < 0
        OR balance <> (SELECT COALESCE(SUM(amount), 0) FROM ledger_entry WHERE account_id = account.id)
      """
    ),
    (
      "an entry of the ledger says what its account has with it",
      """
      SELECT id FROM (SELECT id, balance, SUM(amount) OVER (PARTITION BY account_id ORDER BY id) AS total
        FROM ledger_entry) AS entry
      WHERE balance <> total
      """
    ),
    (
      "a server that is deleted, or was never ready, has no hours to come",
      "SELECT id FROM server WHERE next_hour_at IS NOT NULL AND (was_ever_ready = 0 OR deleted_at IS NOT NULL)"
    ),
    (
      "what a server holds was taken from the ledger and not given back",
      """
      SELECT server.id FROM server LEFT JOIN (
        SELECT server_id, -SUM(amount) AS held FROM ledger_entry WHERE reason IN ('hold', 'release') GROUP BY server_id
      ) AS ledger ON ledger.server_id = server.id
      WHERE credit_hold <> COALESCE(held, 0)
      """
    ),
    (
      "a server that was never ready costs nothing",
      """
      SELECT id FROM server WHERE was_ever_ready = 0
        AND id IN (SELECT server_id FROM ledger_entry WHERE reason = 'charge')
      """
    ),
    (
      "a server that was ready was paid for",
      """
      SELECT id FROM server WHERE was_ever_ready = 1 AND deleted_at IS NULL
        AND id IN (SELECT server_id FROM ledger_entry WHERE reason = 'hold')
        AND id NOT IN (SELECT server_id FROM ledger_entry WHERE reason = 'charge' AND server_id IS NOT NULL)
      """
    ),
    (
      "a server has an address until it is erased, or nothing was made of it",
      """
      SELECT id FROM server WHERE (erased_at IS NULL AND vcpus > 0)
        <> EXISTS (SELECT 1 FROM address WHERE server_id = server.id AND family = 4 AND is_leaving = 0
          AND is_arriving = 0)
      """
    ),
    (
      "an address leaves a server that has it, and one that is its number's and its bytes' at once",
      """
      SELECT id FROM address WHERE (is_leaving = 1 AND server_id IS NULL)
        OR (base <> 0) <> (family = 6 AND prefix_length = 128)
      """
    ),
    (
      "a name in a network is of the server that has the network, or waits to be forgotten",
      """
      SELECT named.number FROM network_name AS named LEFT JOIN address AS network
        ON network.family = 6 AND network.base = 0 AND network.number = named.base
        AND network.server_id = named.server_id
      WHERE (named.server_id IS NOT NULL AND network.id IS NULL) OR (named.server_id IS NULL AND NOT EXISTS (
        SELECT 1 FROM reverse_change AS change WHERE change.family = 6 AND change.bytes = named.bytes))
      """
    ),
    (
      "what servers have reserved of a host is counted",
      """
      SELECT host.id FROM host LEFT JOIN server ON server.host_id = host.id AND server.erased_at IS NULL
      GROUP BY host.id HAVING server_count <> COUNT(server.id)
        OR reserved_vcpus <> COALESCE(SUM(server.vcpus), 0) + (
          SELECT COALESCE(SUM(move.vcpus), 0) FROM server_move AS move WHERE move.other_host_id = host.id)
        OR reserved_memory_mib <> COALESCE(SUM(server.memory_mib), 0) + (
          SELECT COALESCE(SUM(move.memory_mib), 0) FROM server_move AS move WHERE move.other_host_id = host.id)
        OR reserved_storage_gib <> COALESCE(SUM(server.storage_gib), 0) + (
          SELECT COALESCE(SUM(move.storage_gib), 0) FROM server_move AS move WHERE move.other_host_id = host.id) + (
          SELECT COALESCE(SUM(rescue.storage_gib), 0) FROM rescue JOIN server AS rescued ON rescued.id = rescue.server_id
          WHERE rescued.host_id = host.id)
      """
    ),
    (
      "the servers that an account has are counted by blocks of ids",
      """
      SELECT server.account_id FROM server LEFT JOIN server_block AS counted ON counted.account_id = server.account_id
        AND counted.block = server.id / 1024
      WHERE server.deleted_at IS NULL GROUP BY server.account_id, server.id / 1024, counted.server_count
      HAVING counted.server_count IS DISTINCT FROM COUNT(*)
      UNION SELECT account_id FROM server_block AS counted WHERE NOT EXISTS (SELECT 1 FROM server
        WHERE server.account_id = counted.account_id AND server.id BETWEEN block * 1024 AND block * 1024 + 1023
          AND server.deleted_at IS NULL)
      """
    ),
    (
      "what is still to be done for a server is done by its host",
      """
      SELECT operation.id FROM operation JOIN server ON server.id = operation.server_id
      WHERE operation.finished_at IS NULL AND operation.host_id <> server.host_id AND NOT EXISTS (
        SELECT 1 FROM server_move AS move WHERE move.operation_id = operation.id AND move.switched_at IS NULL
          AND move.to_host_id = operation.host_id AND operation.customer_reason IS NULL)
      """
    ),
    (
      "a move is about its own server, which is where the move has brought it, or where it was",
      """
      SELECT operation.id FROM operation LEFT JOIN server_move AS move ON move.operation_id = operation.id
      LEFT JOIN server ON server.id = operation.server_id
      WHERE (operation.kind = 'move') <> (move.operation_id IS NOT NULL)
        OR (move.operation_id IS NOT NULL AND (move.server_id <> operation.server_id OR (operation.finished_at IS NULL
          AND server.host_id <> CASE WHEN move.switched_at IS NULL THEN move.from_host_id ELSE move.to_host_id END)))
      """
    ),
    (
      "a machine is still to be taken over by its server's host",
      """
      SELECT move.operation_id FROM server_move AS move JOIN server ON server.id = move.server_id
      WHERE move.is_awaited = 1 AND server.erased_at IS NULL AND server.host_id <> move.to_host_id
      """
    ),
    (
      "an address arrives at a server that is being moved, or is erased soon",
      """
      SELECT address.id FROM address LEFT JOIN server ON server.id = address.server_id
      WHERE address.is_arriving = 1 AND (server.id IS NULL OR address.is_leaving = 1 OR (server.deleted_at IS NULL
        AND NOT EXISTS (SELECT 1 FROM server_move AS move JOIN operation ON operation.id = move.operation_id
          WHERE move.server_id = server.id AND operation.finished_at IS NULL AND move.switched_at IS NULL)))
      """
    ),
    (
      "whoever has an address is in its history",
      """
      SELECT address.id FROM address LEFT JOIN address_history AS history ON history.server_id = address.server_id
        AND history.family = address.family AND history.bytes = address.bytes AND history.released_at IS NULL
      WHERE (address.server_id IS NOT NULL) <> (history.id IS NOT NULL)
      """
    ),
    (
      "whoever had an address has it no more",
      """
      SELECT history.id FROM address_history AS history LEFT JOIN address ON address.server_id = history.server_id
        AND address.family = history.family AND address.bytes = history.bytes
      WHERE history.released_at IS NULL AND address.id IS NULL
      """
    ),
    (
      "only a server that its customer sees has labels or user data, and one that is erased has no rescue system",
      """
      SELECT id FROM server WHERE (deleted_at IS NOT NULL AND (awaits_user_data = 1
        OR id IN (SELECT server_id FROM server_label) OR id IN (SELECT server_id FROM server_user_data)))
        OR (erased_at IS NOT NULL AND id IN (SELECT server_id FROM rescue))
      """
    ),
    (
      "a label is of its server's account",
      """
      SELECT server_id FROM server_label JOIN server ON server.id = server_label.server_id
      WHERE server_label.account_id <> server.account_id
      """
    ),
    (
      "a rescue system that is not entered is still to be",
      """
      SELECT server_id FROM rescue WHERE is_entered = 0 AND 1 <> (SELECT COUNT(*) FROM operation
        WHERE operation.server_id = rescue.server_id AND kind = 'rescue' AND finished_at IS NULL)
      """
    ),
    (
      "a server that has no disk of its own is not rescued",
      "SELECT id FROM server WHERE (awaits_new_disk = 1 OR has_disk = 0) AND id IN (SELECT server_id FROM rescue WHERE is_entered = 1)"
    ),
    (
      "a server that is erased has nothing left to do",
      """
      SELECT id FROM server WHERE erased_at IS NOT NULL
        AND EXISTS (SELECT 1 FROM operation WHERE server_id = server.id AND finished_at IS NULL)
      """
    ),
    (
      "a deleted server has a delete that is not over until it is erased",
      """
      SELECT id FROM server WHERE deleted_at IS NOT NULL AND erased_at IS NULL AND 1 <>
        (SELECT COUNT(*) FROM operation WHERE server_id = server.id AND kind = 'delete' AND finished_at IS NULL)
      """
    ),
    (
      "a status on the way to another has an operation that leads there",
      """
      SELECT id FROM server WHERE deleted_at IS NULL
        AND status IN ('provisioning', 'starting', 'stopping', 'rebooting')
        AND NOT EXISTS (SELECT 1 FROM operation WHERE server_id = server.id AND finished_at IS NULL
          AND kind IN
            ('create', 'start', 'recover', 'stop', 'hard_stop', 'reboot', 'resize', 'move', 'rebuild', 'restore', 'rescue',
              'leave_rescue'))
      """
    ),
    (
      "a server has reserved what its plan needs, and room for both while it is on its way to another",
      """
      SELECT server.id FROM server JOIN plan ON plan.id = server.plan_id
      LEFT JOIN operation ON operation.server_id = server.id AND operation.kind = 'resize' AND finished_at IS NULL
      LEFT JOIN plan AS next ON next.id = operation.subject_id
      WHERE erased_at IS NULL AND deleted_at IS NULL AND server.vcpus > 0
        AND (server.vcpus <> CASE WHEN next.vcpus > plan.vcpus THEN next.vcpus ELSE plan.vcpus END
          OR server.memory_mib <> CASE WHEN next.memory_mib > plan.memory_mib THEN next.memory_mib ELSE plan.memory_mib END
          OR server.storage_gib <> CASE WHEN next.storage_gib > plan.storage_gib THEN next.storage_gib ELSE plan.storage_gib END)
      """
    ),
    (
      "only a server that failed before it was made takes nothing of the host, and that of everything",
      """
      SELECT id FROM server WHERE (vcpus = 0 OR memory_mib = 0 OR storage_gib = 0)
        AND NOT (vcpus = 0 AND memory_mib = 0 AND storage_gib = 0 AND status = 'error' AND has_disk = 0
          AND was_ever_ready = 0 AND credit_hold = 0)
      """
    ),
    (
      "a server in error has a reason, and no other has one",
      "SELECT id FROM server WHERE (status = 'error') <> (status_reason IS NOT NULL)"
    ),
    (
      "a root password's hash is forgotten when the first boot with it is over, or the server erased",
      "SELECT id FROM server WHERE root_password_hash IS NOT NULL AND (awaits_first_boot = 0 OR erased_at IS NOT NULL)"
    ),
    (
      "a server waits for one resize, one move, one rebuild, and one way into the rescue system and out of it at most",
      """
      SELECT server_id FROM operation WHERE kind IN ('resize', 'move', 'rebuild', 'rescue', 'leave_rescue') AND finished_at IS NULL
      GROUP BY server_id, kind HAVING COUNT(*) > 1
      """
    ),
    (
      "a rebuild has its keys or its password until it is over, and not longer",
      """
      SELECT operation.id FROM operation LEFT JOIN rebuild ON operation_id = operation.id
      WHERE kind = 'rebuild' AND (operation_id IS NULL) <> (finished_at IS NOT NULL)
      """
    ),
    (
      "a server with a new disk to come has its first boot still to come",
      "SELECT id FROM server WHERE awaits_new_disk = 1 AND awaits_first_boot = 0"
    ),
    (
      "a copy is pending as long as an operation makes it",
      """
      SELECT id FROM disk_copy WHERE deleted_at IS NULL AND (status = 'pending') <> EXISTS (
        SELECT 1 FROM operation WHERE subject_id = disk_copy.id AND kind IN ('backup', 'snapshot')
          AND finished_at IS NULL)
      """
    ),
    (
      "what is done with a copy is done on its own server",
      """
      SELECT operation.id FROM operation LEFT JOIN disk_copy ON disk_copy.id = operation.subject_id
      WHERE operation.kind IN ('backup', 'snapshot', 'restore', 'discard')
        AND disk_copy.server_id IS DISTINCT FROM operation.server_id
      """
    ),
    (
      "a copy that is to be removed is seen by nobody, or was never made",
      """
      SELECT disk_copy.id FROM disk_copy JOIN operation ON operation.subject_id = disk_copy.id
      WHERE operation.kind = 'discard' AND disk_copy.deleted_at IS NULL AND disk_copy.status <> 'failed'
      """
    ),
    (
      "copies are hidden with their server, and erased with it",
      """
      SELECT disk_copy.id FROM disk_copy JOIN server ON server.id = disk_copy.server_id
      WHERE (server.deleted_at IS NOT NULL AND disk_copy.deleted_at IS NULL)
        OR (server.erased_at IS NOT NULL AND disk_copy.erased_at IS NULL)
      """
    ),
    (
      "a server that is erased is behind nothing any more",
      """
      SELECT server.id FROM server JOIN server_firewall ON server_firewall.server_id = server.id
      WHERE server.erased_at IS NOT NULL
      """
    ),
    (
      "a token that may be used was made by one that may be, and does not outlast it",
      """
      SELECT token.id FROM token JOIN token AS parent ON parent.id = token.parent_id
      WHERE token.revoked_at IS NULL AND (parent.account_id <> token.account_id
        OR parent.revoked_at IS NOT NULL
        OR (parent.expires_at IS NOT NULL AND (token.expires_at IS NULL OR token.expires_at > parent.expires_at)))
      """
    ),
    (
      "what is counted of an account's repeatable requests is what there is",
      """
      SELECT account.id FROM account LEFT JOIN repeatable_request_total AS total ON total.account_id = account.id
      WHERE COALESCE(total.request_count, 0) <>
          (SELECT COUNT(*) FROM repeatable_request WHERE account_id = account.id)
        OR COALESCE(total.body_bytes, 0) <>
          (SELECT COALESCE(SUM(LENGTH(sealed_body)), 0) FROM repeatable_request WHERE account_id = account.id)
      """
    ),
    (
      "a change on record names an operation of its own server",
      """
      SELECT audit.id FROM audit JOIN operation ON operation.id = audit.operation_id
      WHERE operation.server_id IS DISTINCT FROM audit.server_id
      """
    ),
    (
      "a server has one running operation at most",
      "SELECT server_id FROM operation WHERE state = 'running' GROUP BY server_id HAVING COUNT(*) > 1"
    ),
  ]
}

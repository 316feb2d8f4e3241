package import Core

import struct Foundation.UUID

extension SQLStore {
  package func time() async throws -> Timestamp {
    try await read { database in try database.time() }
  }

  package func beat(
    _ replica: Replica, holding: [Tenure], wanting: [Duty], own: [Duty], for lifetime: Duration
  ) async throws -> ReplicaBeat {
    try await write { database in
      let now = try database.time()
      try database.run(
        """
        INSERT INTO replica (id, name, started_at, seen_at) VALUES (?1, ?2, ?3, ?3)
        ON CONFLICT (id) DO UPDATE SET seen_at = excluded.seen_at
        """,
        [replica.id, replica.name, now])
      let dead = try database.bury(seenBefore: now - lifetime)
      let count = try database.value(Int.self, "SELECT COUNT(*) FROM replica") ?? 1
      var held = try holding.filter { tenure in try database.renew(tenure, of: replica, until: now + lifetime, at: now)
      }
      let share = (wanting.count + count - 1) / count
      for duty in own + wanting where !held.contains(where: { $0.duty == duty }) {
        // Beyond its share, a service takes only duties that have been free for a while.
        let isDue = own.contains(duty) || held.count { !own.contains($0.duty) } < share
        let freeUntil = isDue ? now : now - Self.patience
        if let taken = try database.take(duty, replica, until: now + lifetime, freeUntil: freeUntil) {
          held.append(taken)
        }
      }
      try database.noteAbandonedHosts(lifetime: lifetime, at: now)
      return ReplicaBeat(tenures: held, time: now, replicaCount: count, dead: dead)
    }
  }

  /// Throws `TenureLost` where another service has the duty of this store since.
  package func requireTenure() async throws {
    try await write { _ in }
  }

  package func giveBack(_ tenures: [Tenure], of replica: Replica) async throws {
    try await write { database in
      let now = try database.time()
      for tenure in tenures {
        try database.run(
          """
          UPDATE duty SET replica_id = NULL, term = term + 1, expires_at = ?
          WHERE name = ? AND term = ? AND replica_id = ?
          """,
          [now, tenure.duty.name, tenure.term, replica.id])
      }
      try database.tell("duty")
    }
  }

  package func leave(_ replica: Replica) async throws {
    try await write { database in
      try database.run(
        "UPDATE duty SET replica_id = NULL, term = term + 1, expires_at = ? WHERE replica_id = ?",
        [try database.time(), replica.id])
      try database.forget(replica.id)
      try database.tell("duty")
    }
  }

  /// Throws `ServicesDisagree` if other services run on this database, and notices, reverse names or hosts of their own are
  /// configured for them and not for this service, or the other way round: the setting in the database is of the service that
  /// started last.
  package func requireAgreement(
    areNoticesWritten: Bool, areReverseNamesSaid: Bool, areHostsOwn: Bool, seenWithin lifetime: Duration
  ) async throws {
    try await read { database in
      let since = try database.time() - lifetime
      guard try database.value(Int.self, "SELECT COUNT(*) FROM replica WHERE seen_at >= ?", [since]) ?? 0 > 0 else {
        return
      }
      if try database.areNoticesWritten() != areNoticesWritten { throw ServicesDisagree(key: "notify") }
      if try database.areReverseNamesSaid() != areReverseNamesSaid { throw ServicesDisagree(key: "rdns") }
      let ownHosts = try database.value(
        Int.self, "SELECT COUNT(*) FROM host WHERE is_configured = 1 AND data_directory_id IS NOT NULL")
      if (ownHosts ?? 0 > 0) != areHostsOwn { throw ServicesDisagree(key: "host_name") }
    }
  }

  /// How long a free duty is left to services that have less than their share.
  private static let patience = Duration.seconds(2)
}

package struct ServicesDisagree: Error, CustomStringConvertible {
  /// The key of the configuration.
  package let key: String

  package var description: String {
    "Other services run on this database, and \(key) is set for them and not for this service, or for this one alone. Give all services "
      + "the same configuration; to change it, stop all of them before one is started with the new one."
  }
}

/// A write was for a duty that another service has by now.
package struct TenureLost: Error, CustomStringConvertible {
  package let tenure: Tenure

  package var description: String { "another service has \(tenure.duty.name) since term \(tenure.term)" }
}

extension SQLConnection {
  func time() throws -> Timestamp {
    try value(Timestamp.self, "SELECT vpsd_now()").orFail("the database has no clock")
  }

  /// Notifies all services of the database when the transaction is committed.
  func tell(_ text: String) throws {
    _ = try value(Int64.self, "SELECT vpsd_notify(?)", [text])
  }

  /// Throws where the tenure is lost. No other transaction writes meanwhile, so the tenure holds until the end of this one.
  func require(_ tenure: Tenure) throws {
    let term = try value(Int64.self, "SELECT term FROM duty WHERE name = ?", [tenure.duty.name])
    guard term == tenure.term else { throw TenureLost(tenure: tenure) }
  }

  fileprivate func bury(seenBefore time: Timestamp) throws -> [Replica] {
    let dead = try rows("SELECT id, name FROM replica WHERE seen_at < ? ORDER BY id", [time]) { row in
      Replica(id: try row.next(), name: try row.next())
    }
    for replica in dead { try forget(replica.id) }
    return dead
  }

  /// Ends the leases of requests that the service was carrying out, so that clients can repeat them elsewhere. Which of them
  /// had an effect is in their rows.
  fileprivate func forget(_ replica: UUID) throws {
    try run("UPDATE repeatable_request SET lease_expires_at = 0 WHERE replica_id = ? AND status IS NULL", [replica])
    try run("DELETE FROM replica WHERE id = ?", [replica])
  }

  /// A host is away where no service has had its duty for long.
  fileprivate func noteAbandonedHosts(lifetime: Duration, at now: Timestamp) throws {
    let silence = Host.longestSilence - min(lifetime, Host.longestSilence)
    let count = try run(
      """
      UPDATE host SET away_since = ?1 WHERE is_configured = 1 AND away_since IS NULL
        AND (SELECT MAX(duty.expires_at) FROM duty WHERE duty.name IN ('host ' || host.id, 'location ' || host.location)) <= ?2
      """,
      [now, now - silence])
    if count > 0 { try tell("host") }
  }

  fileprivate func renew(
    _ tenure: Tenure, of replica: Replica, until deadline: Timestamp, at now: Timestamp
  ) throws -> Bool {
    try run(
      "UPDATE duty SET expires_at = ? WHERE name = ? AND term = ? AND replica_id = ? AND expires_at > ?",
      [deadline, tenure.duty.name, tenure.term, replica.id, now]) > 0
  }

  /// Takes the duty for a new term; nil where another service has it, or it has not been free for long enough.
  fileprivate func take(
    _ duty: Duty, _ replica: Replica, until deadline: Timestamp, freeUntil: Timestamp
  ) throws -> Tenure? {
    let found = try rows("SELECT term, replica_id, expires_at FROM duty WHERE name = ?", [duty.name]) { row in
      (term: try row.next(Int64.self), holder: try row.next(UUID?.self), expiresAt: try row.next(Timestamp.self))
    }.first
    if let found, found.holder != replica.id, found.expiresAt > freeUntil { return nil }
    let tenure = Tenure(duty, term: (found?.term ?? 0) + 1)
    try run(
      """
      INSERT INTO duty (name, term, replica_id, expires_at) VALUES (?, ?, ?, ?)
      ON CONFLICT (name) DO UPDATE SET term = excluded.term, replica_id = excluded.replica_id,
        expires_at = excluded.expires_at
      """,
      [duty.name, tenure.term, replica.id, deadline])
    switch duty {
    case .host(let host): try releaseLeases(on: [host])
    case .location(let code):
      try releaseLeases(on: rows("SELECT id FROM host WHERE location = ?", [code]) { row in try row.next() })
    case .installation: try releaseNotices()
    }
    return tenure
  }

  /// What waited for a slot or a retry waited for the service that had the host before, and is due now.
  private func releaseLeases(on hosts: [ID<Host>]) throws {
    for host in hosts {
      try run(
        """
        UPDATE operation SET lease_token = NULL, lease_expires_at = NULL, not_before = scheduled_at
        WHERE host_id = ? AND finished_at IS NULL
        """,
        [host])
    }
  }
}

extension Duty {
  var name: String {
    switch self {
    case .installation: "installation"
    case .host(let id): "host \(id)"
    case .location(let code): "location \(code)"
    }
  }
}

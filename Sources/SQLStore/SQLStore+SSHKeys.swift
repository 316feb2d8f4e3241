package import Core

import struct Foundation.UUID

extension SQLStore {
  package func sshKeys(
    of account: ID<Account>, named name: String?, order: [ListOrder<SSHKeyKey>], page: PageRequest
  ) async throws -> Page<SSHKey> {
    try await read { database in
      try database.page(
        page, ofTable: "ssh_key", of: account, named: name, by: OrderClause(order))
    }
  }

  package func sshKey(_ id: ID<SSHKey>, of account: ID<Account>) async throws -> SSHKey? {
    try await read { database in
      try database.first("SELECT \(SSHKey.columns) FROM ssh_key WHERE id = ? AND account_id = ?", [id, account])
    }
  }

  package func sshKeyIDs(
    _ references: [Reference<SSHKey>], of account: ID<Account>
  ) async throws -> [Reference<SSHKey>: ID<SSHKey>] {
    try await read { database in
      var found: [Reference<SSHKey>: ID<SSHKey>] = [:]
      for reference in references { found[reference] = try database.sshKeyID(reference, of: account) }
      return found
    }
  }

  package func createSSHKey(_ key: NewSSHKey, by caller: Caller, at now: Timestamp) async throws -> SSHKey {
    try await write { database in
      try database.requireOpen(key.accountID)
      try database.requireQuota(for: key)
      let inserted: SSHKey? = try database.first(
        """
        INSERT INTO ssh_key (uuid, account_id, name, fingerprint, public_key, created_at) VALUES (?, ?, ?, ?, ?, ?)
        ON CONFLICT (account_id, fingerprint) DO NOTHING RETURNING \(SSHKey.columns)
        """,
        [key.uuid.text, key.accountID, key.name, key.fingerprint, key.publicKey, now])
      guard let inserted else {
        throw Failure.invalid(.publicKey, "This SSH key is registered already.")
      }
      try database.audit("ssh_key.create", detail: key.fingerprint, by: caller, at: now)
      return inserted
    }
  }

  package func deleteSSHKey(_ id: ID<SSHKey>, by caller: Caller, at now: Timestamp) async throws -> Bool {
    try await write { database in
      let fingerprint = try database.value(
        String.self, "DELETE FROM ssh_key WHERE id = ? AND account_id = ? RETURNING fingerprint",
        [id, caller.accountID])
      guard let fingerprint else { return false }
      try database.audit("ssh_key.delete", detail: fingerprint, by: caller, at: now)
      return true
    }
  }
}

extension SQLConnection {
  fileprivate func requireQuota(for key: NewSSHKey) throws {
    guard let quota = key.quota else { return }
    let count = try value(Int.self, "SELECT COUNT(*) FROM ssh_key WHERE account_id = ?", [key.accountID])
    guard count ?? 0 < quota else { throw Failure(.permissionDenied, "SSH key quota reached (\(quota)).") }
  }

  fileprivate func sshKeyID(_ reference: Reference<SSHKey>, of account: ID<Account>) throws -> ID<SSHKey>? {
    switch reference {
    case .id(let id):
      try value(ID<SSHKey>.self, "SELECT id FROM ssh_key WHERE id = ? AND account_id = ?", [id, account])
    case .uuid(let uuid):
      try value(ID<SSHKey>.self, "SELECT id FROM ssh_key WHERE uuid = ? AND account_id = ?", [uuid.text, account])
    }
  }

  /// Returns the keys' lines for a server, and marks the keys as used; nil for no keys.
  func installKeys(_ ids: [ID<SSHKey>], of account: ID<Account>, at now: Timestamp) throws -> String? {
    let lines = try ids.map { id in
      let line = try value(
        String.self, "UPDATE ssh_key SET last_used_at = ? WHERE id = ? AND account_id = ? RETURNING public_key",
        [now, id, account])
      guard let line else { throw Failure.invalid(.sshKeys, "Invalid pk \"\(id)\" - object does not exist.") }
      return line
    }
    return lines.isEmpty ? nil : lines.joined(separator: "\n")
  }
}

extension SSHKey: RowReadable {
  static let columns = "id, uuid, account_id, name, fingerprint, public_key, created_at, last_used_at"

  init(from row: inout RowReader) throws {
    self.init(
      id: try row.next(), uuid: try row.next(), accountID: try row.next(), name: try row.next(),
      fingerprint: try row.next(), publicKey: try row.next(), createdAt: try row.next(), lastUsedAt: try row.next())
  }
}

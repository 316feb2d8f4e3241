package import Core

package import struct Foundation.UUID

extension SQLStore {
  package func installationID() async throws -> UUID {
    try await write { database in
      try database.run(
        "INSERT INTO setting (key, value) VALUES ('installation_id', ?) ON CONFLICT (key) DO NOTHING",
        [UUID.random().text])
      let text = try database.value(String.self, "SELECT value FROM setting WHERE key = 'installation_id'")
      guard let id = text.flatMap(UUID.init(uuidString:)) else {
        throw Failure.internalError("the installation has no id")
      }
      return id
    }
  }

  /// The fingerprint of the key that all services of this database share: that of the service that came first.
  package func settle(keyFingerprint: String) async throws -> String {
    try await write { database in
      try database.run(
        "INSERT INTO setting (key, value) VALUES ('key_fingerprint', ?) ON CONFLICT (key) DO NOTHING", [keyFingerprint])
      return try database.value(String.self, "SELECT value FROM setting WHERE key = 'key_fingerprint'")
        .orFail("the key was not settled")
    }
  }

  package func isBootstrapped() async throws -> Bool {
    try await read { database in try database.hasAccount() }
  }

  package func bootstrap(_ installation: NewInstallation, at now: Timestamp) async throws -> Bool {
    try await write { database in
      guard try !database.hasAccount() else { return false }
      try database.insert(installation.catalogue)
      let account = try database.insertAccount(
        email: installation.email, openingCredit: installation.openingCredit, at: now)
      if installation.isOperator { try database.run("UPDATE account SET is_operator = 1 WHERE id = ?", [account.id]) }
      let token = NewToken(
        accountID: account.id, name: installation.tokenName, hash: installation.tokenHash,
        permissions: [.everything], expiresAt: nil)
      _ = try database.insert(token, at: now)
      return true
    }
  }

  package func catalogue() async throws -> Catalogue {
    try await read { database in try database.catalogue() }
  }
}

package import Core
package import Foundation
import GRDB

extension SQLStore {
  package func installationID() async throws -> UUID {
    try await write { database in
      try database.run(
        "INSERT INTO setting (key, value) VALUES ('installation_id', ?) ON CONFLICT (key) DO NOTHING", [UUID().text])
      let text = try database.value(String.self, "SELECT value FROM setting WHERE key = 'installation_id'")
      guard let id = text.flatMap(UUID.init(uuidString:)) else {
        throw Failure.internalError("the installation has no id")
      }
      return id
    }
  }

  /// The same of a database of whatever version, which stays as it is; nil where it has none.
  package static func installationID(at path: String) throws -> UUID? {
    guard access(path, F_OK) == 0 else { throw DatabaseIsMissing(path: path) }
    do {
      var configuration = Configuration()
      configuration.busyMode = .timeout(5)
      let connection = try DatabaseQueue(path: path, configuration: configuration)
      defer { try? connection.close() }
      let text = try connection.inDatabase { database in
        try database.value(String.self, "SELECT value FROM setting WHERE key = 'installation_id'")
      }
      return text.flatMap(UUID.init(uuidString:))
    } catch let error as DatabaseError {
      throw UnusableFile(path: path, reason: error.message ?? "SQLite error \(error.extendedResultCode)")
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

import Engine
import Foundation
import PrivateFiles
import SQLStore

extension DataDirectory {
  /// The key of this installation, which the first start makes. Throws where data has been sealed but the key is missing: with
  /// a new key the loss would only be noticed later.
  func installationKey(for store: SQLStore) async throws -> InstallationKey {
    if let key = try Self.key(at: secretKey) { return key }
    guard try await store.sealedUserData() == nil else {
      throw Unfit(
        description: "\(secretKey) is missing, and the user data of servers is sealed with it. Put it back: `vpsd "
          + "backup-state FILE` has written it to FILE.key. docs/operating.md says what to do where it is lost for good."
      )
    }
    let key = InstallationKey.random()
    try PrivateFile.write(key.bytes, to: secretKey)
    return key
  }

  /// The same where several services share one database: all of them must have the same key, and only the first one makes it.
  func sharedKey(for store: SQLStore) async throws -> InstallationKey {
    let isThere = FileStatus(secretKey) != nil
    let key = try await installationKey(for: store)
    guard try await store.settle(keyFingerprint: key.fingerprint) != key.fingerprint else { return key }
    if !isThere { unlink(secretKey) }
    throw Unfit(
      description:
        "\(secretKey) is not the key that the other services of this database have. Copy theirs to this place, as a "
        + "file that only its owner may read, before this one is started.")
  }

  /// How many sealed texts are tried, so that a start does not take long.
  private static let triedCount = 1000

  /// What is wrong with the key, as a sentence; nil where the key opens everything that is sealed, or where nothing is. Several
  /// are tried, because texts sealed after the loss of the key open and earlier ones do not.
  func keyFault(for store: SQLStore) async throws -> String? {
    guard try await store.sealedUserData() != nil else { return nil }
    let opens = "the user data of servers, which is sealed in the database"
    guard let key = try Self.key(at: secretKey) else { return "\(secretKey) is missing, which opens \(opens)" }
    let tried = try await store.trySealedUserData(limit: Self.triedCount) { server, sealed in
      key.open(userData: sealed, of: server) != nil
    }
    guard tried.unreadableCount > 0 else { return nil }
    return
      "\(secretKey) does not open \(opens) (\(tried.unreadableCount) of \(tried.count) that were tried): it is another key "
      + "than that of this state"
  }

  /// Nil where there is no file. Throws where it is no key, or where others than its owner may read it.
  static func key(at path: String, mayBeSeen: Bool = false) throws -> InstallationKey? {
    if access(path, F_OK) != 0, errno == ENOENT { return nil }
    guard let status = FileStatus(path), status.type == .typeRegular, mayBeSeen || status.permissions & 0o077 == 0,
      let handle = FileHandle(forReadingAtPath: path),
      let data = try handle.read(upToCount: InstallationKey.length + 1), let key = InstallationKey(Array(data))
    else {
      throw Unfit(
        description:
          "\(path) is not the key of an installation: a file of \(InstallationKey.length) bytes that only its "
          + "owner may read. Put it back as it was.")
    }
    return key
  }

  /// Writes the key into a new file.
  static func copy(_ key: InstallationKey, to path: String) throws {
    do { try PrivateFile.create(new: path, key.bytes) } catch { throw FileFailure(error) }
  }

  /// Replaces the key. An earlier key is kept under a second name, and also beside the database that it belongs to.
  ///
  /// - Parameter database: The path at which that database is kept.
  func replaceKey(by key: InstallationKey, at seconds: Int, with database: String?) throws {
    for kept in ["\(secretKey).before-\(seconds)", database.map { "\($0).key" }].compactMap({ $0 }) {
      guard link(secretKey, kept) == 0 || errno == ENOENT else { throw FileFailure.last("make", kept) }
    }
    try PrivateFile.write(key.bytes, to: secretKey)
  }
}

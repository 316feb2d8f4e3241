import Engine
import Foundation
import SQLStore

/// The whole state of the service in a file, with a second file beside it: the key that opens the sealed user data.
struct StateCopy: Sendable {
  enum Key: Sendable {
    case written
    /// There is no key, because nothing is sealed yet.
    case none
    /// The key cannot be used, which must not prevent the copy of the state.
    case unfit(DataDirectory.Unfit)
  }

  let store: SQLStore
  let directory: DataDirectory

  static func keyPath(beside file: String) -> String { file + ".key" }

  /// Both are new files that only their owner can read. The copy of the state is read back for verification.
  func write(to file: String) async throws -> Key {
    let key: InstallationKey?
    do {
      key = try DataDirectory.key(at: directory.secretKey)
    } catch let fault as DataDirectory.Unfit {
      try await store.backUp(to: file)
      return .unfit(fault)
    }
    try await store.backUp(to: file)
    guard let key else { return .none }
    do {
      try await StateBackupFolder.onThread { try DataDirectory.copy(key, to: Self.keyPath(beside: file)) }
    } catch {
      unlink(file)
      throw error
    }
    return .written
  }
}

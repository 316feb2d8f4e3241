import Engine
import Foundation
import SQLStore

/// All that the service knows, in a file, and in another one beside it what opens the user data that is sealed in it.
struct StateCopy: Sendable {
  enum Key: Sendable {
    case written
    /// Nothing is sealed yet.
    case none
    /// The state is not to be lost for that.
    case unfit(DataDirectory.Unfit)
  }

  let store: SQLStore
  let directory: DataDirectory

  static func keyPath(beside file: String) -> String { file + ".key" }

  /// Both are new files that only their owner can read, and what the first one says was read back.
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
      try DataDirectory.copy(key, to: Self.keyPath(beside: file))
    } catch {
      unlink(file)
      throw error
    }
    return .written
  }
}

import Core
import Dispatch
import Synchronization

/// Hashes people's passwords with yescrypt. That takes a tenth of a second and some memory on purpose, so passwords are hashed
/// one at a time, on a queue of their own, and only a few may wait.
final class PasswordHasher: Sendable {
  private static let method = "$y$"
  private static let longestQueue = 16

  private let queue = DispatchQueue(label: "passwords")
  private let waiting = Mutex(0)

  func hash(_ password: String) async throws -> String {
    try await run { () throws(Failure) in try Crypt.hash(password, setting: Crypt.setting(Self.method)) }
  }

  /// - Parameter hash: Nil where there is no password; that takes as long and returns false.
  func isRight(_ password: String, for hash: String?) async throws -> Bool {
    try await run { () throws(Failure) in
      guard let hash else {
        _ = try Crypt.hash(password, setting: Crypt.setting(Self.method))
        return false
      }
      let computed = try Crypt.hash(password, setting: hash)
      return zip(computed.utf8, hash.utf8).reduce(computed.utf8.count == hash.utf8.count) { $0 && $1.0 == $1.1 }
    }
  }

  private func run<Value: Sendable>(_ body: @escaping @Sendable () throws(Failure) -> Value) async throws -> Value {
    let hasPlace = waiting.withLock { waiting in
      guard waiting < Self.longestQueue else { return false }
      waiting += 1
      return true
    }
    guard hasPlace else { throw Failure(.noCapacity, "Too many people sign in at the moment. Try again soon.") }
    defer { waiting.withLock { $0 -= 1 } }
    return try await withCheckedThrowingContinuation { continuation in
      queue.async { continuation.resume(with: Result(catching: body)) }
    }
  }
}

package import Core
import Synchronization

/// Whose request it is, and what it is about, for the log: noted where it is known, read where the reply is finished.
package final class RequestSubject: Sendable {
  private struct Noted {
    var account: ID<Account>?
    var server: String?
  }

  private let noted = Mutex(Noted())

  package func note(_ account: ID<Account>) { noted.withLock { $0.account = account } }

  /// - Parameter name: The id or uuid that the caller has it by.
  func note(server name: String) { noted.withLock { $0.server = name } }

  var account: ID<Account>? { noted.withLock { $0.account } }
  var server: String? { noted.withLock { $0.server } }
}

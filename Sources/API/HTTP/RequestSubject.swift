package import Core
import Synchronization

/// The account and the server of a request, for the log: noted when they are known, and read when the reply is
/// finished.
package final class RequestSubject: Sendable {
  private struct Noted {
    var account: ID<Account>?
    var server: String?
  }

  private let noted = Mutex(Noted())

  package func note(_ account: ID<Account>) { noted.withLock { $0.account = account } }

  /// - Parameter name: The id or uuid that the caller used.
  func note(server name: String) { noted.withLock { $0.server = name } }

  var account: ID<Account>? { noted.withLock { $0.account } }
  var server: String? { noted.withLock { $0.server } }
}

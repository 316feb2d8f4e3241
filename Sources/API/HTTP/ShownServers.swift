import Engine
import Synchronization

/// The servers that a reply shows. A route notes them if the reply depends on nothing but the caller, the head of the
/// request, the database, the month, and the hosts of these servers.
final class ShownServers: Sendable {
  private let noted = Mutex<[Servers.View]?>(nil)

  func note(_ views: [Servers.View]) { noted.withLock { $0 = views } }

  /// Nil if the reply may depend on anything else.
  var views: [Servers.View]? { noted.withLock { $0 } }
}

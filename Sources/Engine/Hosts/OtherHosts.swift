import Core
import Synchronization

/// The hosts that only other services have, as the store last told of them. Nothing is asked of them here.
final class OtherHosts: Sendable {
  private let hosts = Mutex<[ID<Host>: Host]>([:])

  /// Returns whether any of them went away or came back.
  func replace(by hosts: [Host]) -> Bool {
    let new = Dictionary(uniqueKeysWithValues: hosts.map { ($0.id, $0) })
    return self.hosts.withLock { hosts in
      defer { hosts = new }
      return new.contains { id, host in hosts[id].map(\.isAway) != host.isAway }
    }
  }

  subscript(id: ID<Host>) -> Host? { hosts.withLock { $0[id] } }

  func haveOne(at location: String?) -> Bool { hosts.withLock { $0.values.contains { $0.location == location } } }
}

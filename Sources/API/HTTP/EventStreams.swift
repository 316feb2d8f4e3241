package import Core
import Synchronization

/// How many streams of events each account has open.
package final class EventStreams: Sendable {
  /// An open stream of an account. It counts until it is deallocated, however the reply ends.
  package final class Place: Sendable {
    private let streams: EventStreams
    private let account: ID<Account>

    fileprivate init(_ streams: EventStreams, _ account: ID<Account>) {
      self.streams = streams
      self.account = account
    }

    deinit { streams.leave(account) }
  }

  package init() {}

  private let counts = Mutex<[ID<Account>: Int]>([:])

  /// - Parameter limit: 0 for no limit.
  package func enter(_ account: ID<Account>, atMost limit: Int) throws(Rejection) -> Place {
    let hasRoom = counts.withLock { counts in
      guard limit == 0 || counts[account, default: 0] < limit else { return false }
      counts[account, default: 0] += 1
      return true
    }
    guard hasRoom else { throw .tooManyStreams(limit: limit) }
    return Place(self, account)
  }

  private func leave(_ account: ID<Account>) {
    counts.withLock { counts in
      let left = counts[account, default: 0] - 1
      counts[account] = left > 0 ? left : nil
    }
  }
}

import Core
import Synchronization

/// Which servers may do now what is hard on the host, such as to boot: as many at once as it can carry. The others wait, and
/// accounts take turns: first the one whose last turn was longest ago, and of its servers the one that was asked for first.
///
/// Who waits need not ask again: a place that becomes free is given to the next one at once, and whoever made it free is told
/// who that is. It is kept in memory only. After a restart, those that are at it enter themselves again.
final class FairAdmission: Sendable {
  private struct Waiter {
    let server: ID<Server>
    let operation: ID<Operation>
    let account: ID<Account>
  }

  private struct State {
    var limit = 1
    var busy: Set<ID<Server>> = []
    private(set) var waiting: [ID<Server>: Waiter] = [:]
    /// Those that wait, by account, in the order of their operations. No account has an empty queue.
    private var queues: [ID<Account>: [Waiter]] = [:]
    private var lastTurns: [ID<Account>: Int] = [:]
    private var turns = 0

    /// Looks at one server of each account: a host may have ten thousand servers that wait.
    private var next: Waiter? {
      queues.compactMap { account, queue in queue.first.map { (lastTurns[account] ?? 0, $0) } }
        .min { ($0.0, $0.1.operation) < ($1.0, $1.1.operation) }?.1
    }

    mutating func enqueue(_ waiter: Waiter) {
      dequeue(waiter.server)
      waiting[waiter.server] = waiter
      let place = place(of: waiter)
      queues[waiter.account, default: []].insert(waiter, at: place)
    }

    mutating func dequeue(_ server: ID<Server>) {
      guard let waiter = waiting.removeValue(forKey: server) else { return }
      let place = place(of: waiter)
      queues[waiter.account]?.remove(at: place)
      if queues[waiter.account]?.isEmpty ?? false { queues[waiter.account] = nil }
    }

    /// Where it is in the queue of its account, or belongs there.
    private func place(of waiter: Waiter) -> Int {
      let queue = queues[waiter.account] ?? []
      var (low, high) = (0, queue.count)
      while low < high {
        let middle = (low + high) / 2
        if queue[middle].operation < waiter.operation { low = middle + 1 } else { high = middle }
      }
      return low
    }

    mutating func begin(_ server: ID<Server>, of account: ID<Account>) {
      busy.insert(server)
      dequeue(server)
      turns += 1
      lastTurns[account] = turns
    }

    mutating func leave(_ server: ID<Server>) -> [ID<Operation>] {
      busy.remove(server)
      dequeue(server)
      var begun: [ID<Operation>] = []
      while busy.count < limit, let waiter = next {
        begin(waiter.server, of: waiter.account)
        begun.append(waiter.operation)
      }
      if waiting.isEmpty, busy.isEmpty { lastTurns = [:] }
      return begun
    }
  }

  private let state = Mutex(State())

  /// Whether it is this server's turn; one that asked once stands in the queue.
  func take(for server: Server, _ operation: ID<Operation>, atOnce limit: Int?) -> Bool {
    guard let limit else { return true }
    return state.withLock { state in
      state.limit = max(1, limit)
      if state.busy.contains(server.id) { return true }
      guard state.busy.count < state.limit else {
        state.enqueue(Waiter(server: server.id, operation: operation, account: server.accountID))
        return false
      }
      state.begin(server.id, of: server.accountID)
      return true
    }
  }

  /// The server is at it, whether it was its turn or not.
  func occupy(_ server: Server) {
    state.withLock { state in
      if !state.busy.contains(server.id) { state.begin(server.id, of: server.accountID) }
    }
  }

  func isBusy(_ server: ID<Server>) -> Bool { state.withLock { $0.busy.contains(server) } }

  /// Whatever the server wanted is over. Returns the operations whose turn has come by that.
  func leave(_ server: ID<Server>) -> [ID<Operation>] { state.withLock { $0.leave(server) } }
}

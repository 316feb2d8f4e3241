import Core
import Synchronization

/// Slots for work that is heavy for a host, such as a boot: as many servers at once as the host can carry. The others wait, and
/// accounts take turns: first the account whose last turn was longest ago, and of its servers the one with the oldest
/// operation.
///
/// A waiting server need not ask again: a slot that becomes free goes to the next one at once, and `leave` returns its
/// operation. The state is in memory only; after a restart, servers that are at work take their slots again with `occupy`.
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
    /// The waiting servers of each account, by the age of their operations. No queue is empty.
    private var queues: [ID<Account>: [Waiter]] = [:]
    private var lastTurns: [ID<Account>: Int] = [:]
    private var turns = 0

    /// Compares only the first server of each account, because ten thousand servers may wait.
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

    /// The index of the server in the queue of its account, or the one to insert it at.
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

  /// Takes a slot for the server; always true without a limit. Where no slot is free, returns false and queues the server.
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

  /// Takes a slot even where none is free: the server is at work already.
  func occupy(_ server: Server) {
    state.withLock { state in
      if !state.busy.contains(server.id) { state.begin(server.id, of: server.accountID) }
    }
  }

  func isBusy(_ server: ID<Server>) -> Bool { state.withLock { $0.busy.contains(server) } }

  /// Frees the server's slot, or its place in the queue. Returns the operations that have got a slot by that.
  func leave(_ server: ID<Server>) -> [ID<Operation>] { state.withLock { $0.leave(server) } }
}

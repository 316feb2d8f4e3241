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
    let operation: ID<Operation>
    let account: ID<Account>
  }

  private struct State {
    var limit = 1
    var busy: Set<ID<Server>> = []
    var waiting: [ID<Server>: Waiter] = [:]
    var lastTurns: [ID<Account>: Int] = [:]
    var turns = 0

    var next: (server: ID<Server>, waiter: Waiter)? {
      waiting.min { left, right in
        let (a, b) = (lastTurns[left.value.account] ?? 0, lastTurns[right.value.account] ?? 0)
        return (a, left.value.operation) < (b, right.value.operation)
      }.map { ($0.key, $0.value) }
    }

    mutating func begin(_ server: ID<Server>, of account: ID<Account>) {
      busy.insert(server)
      waiting[server] = nil
      turns += 1
      lastTurns[account] = turns
    }

    mutating func fill() -> [ID<Operation>] {
      var begun: [ID<Operation>] = []
      while busy.count < limit, let (server, waiter) = next {
        begin(server, of: waiter.account)
        begun.append(waiter.operation)
      }
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
        state.waiting[server.id] = Waiter(operation: operation, account: server.accountID)
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
  func leave(_ server: ID<Server>) -> [ID<Operation>] {
    state.withLock { state in
      state.busy.remove(server)
      state.waiting[server] = nil
      let begun = state.fill()
      if state.waiting.isEmpty, state.busy.isEmpty { state.lastTurns = [:] }
      return begun
    }
  }
}

import Core
import Synchronization

/// Which servers may do now what is hard on the host, such as to boot: as many at once as it can carry. The others wait, and
/// accounts take turns: first the one whose last turn was longest ago, and of its servers the one that was asked for first.
///
/// Who waits need not ask again: a place that becomes free is given to the next one at once, and whoever made it free is told
/// who that is. It is kept in memory only. After a restart, those that are at it enter themselves again.
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

  /// Whether it is this server's turn; one that asked once stands in the queue.
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

  /// The server is at it, whether it was its turn or not.
  func occupy(_ server: Server) {
    state.withLock { state in
      if !state.busy.contains(server.id) { state.begin(server.id, of: server.accountID) }
    }
  }

  func isBusy(_ server: ID<Server>) -> Bool { state.withLock { $0.busy.contains(server) } }

  /// Whatever the server wanted is over. Returns the operations whose turn has come by that.
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

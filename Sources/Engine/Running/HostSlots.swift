import Core
import Synchronization

/// Which servers may do now what is hard on the host, such as to boot: as many at once as it can carry. The others wait, and
/// accounts take turns: first the one whose last turn was longest ago, and of its servers the one that was asked for first.
///
/// It is kept in memory only. After a restart, those that are at it enter themselves again.
final class HostSlots: Sendable {
  private struct Waiter {
    let operation: ID<Operation>
    let account: ID<Account>
  }

  private struct State {
    var busy: Set<ID<Server>> = []
    var waiting: [ID<Server>: Waiter] = [:]
    var lastTurns: [ID<Account>: Int] = [:]
    var turns = 0

    var next: ID<Server>? {
      waiting.min { left, right in
        let (a, b) = (lastTurns[left.value.account] ?? 0, lastTurns[right.value.account] ?? 0)
        return (a, left.value.operation) < (b, right.value.operation)
      }?.key
    }

    mutating func begin(_ server: ID<Server>, of account: ID<Account>) {
      busy.insert(server)
      waiting[server] = nil
      turns += 1
      lastTurns[account] = turns
    }
  }

  private let state = Mutex(State())

  /// Whether it is this server's turn; one that asked once stands in the queue.
  func take(for server: Server, _ operation: ID<Operation>, atOnce limit: Int?) -> Bool {
    guard let limit else { return true }
    return state.withLock { state in
      if state.busy.contains(server.id) { return true }
      state.waiting[server.id] = Waiter(operation: operation, account: server.accountID)
      guard state.busy.count < max(1, limit), state.next == server.id else { return false }
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

  /// Whatever the server wanted is over.
  func leave(_ server: ID<Server>) {
    state.withLock { state in
      state.busy.remove(server)
      state.waiting[server] = nil
      if state.waiting.isEmpty, state.busy.isEmpty { state.lastTurns = [:] }
    }
  }
}

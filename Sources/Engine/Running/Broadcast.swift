package import Core
import Synchronization

/// Tells listeners that a change to a server was committed. It is only a hint: a listener reads the store then, and also now
/// and then without a hint, because other processes write too.
package final class Broadcast: Sendable {
  private struct Listener {
    /// Nil for a listener to all servers.
    let server: ID<Server>?
    let bell: Doorbell
  }

  private struct State {
    var listeners: [Int: Listener] = [:]
    var nextNumber = 0
    var isOver = false
  }

  private let state = Mutex(State())

  package init() {}

  package func tell(_ server: ID<Server>) {
    let bells = state.withLock { state in
      state.listeners.values.filter { $0.server == nil || $0.server == server }.map(\.bell)
    }
    for bell in bells { bell.ring() }
  }

  /// Something happened that may concern every server.
  package func tellAll() {
    for bell in state.withLock({ $0.listeners.values.map(\.bell) }) { bell.ring() }
  }

  /// Wakes all listeners, because the service ends.
  package func end() {
    let bells = state.withLock { state in
      state.isOver = true
      return state.listeners.values.map(\.bell)
    }
    for bell in bells { bell.ring() }
  }

  var isOver: Bool { state.withLock { $0.isOver } }

  /// Calls `body` with a bell that rings for changes of the server, or of any server where it is nil. The bell keeps a ring
  /// until it is waited for, so a change that is told while the body reads the store is not missed.
  func listen<Value>(
    to server: ID<Server>?, _ body: (Doorbell) async throws -> Value
  ) async rethrows -> Value {
    let bell = Doorbell()
    let number = state.withLock { state in
      state.nextNumber += 1
      state.listeners[state.nextNumber] = Listener(server: server, bell: bell)
      return state.nextNumber
    }
    defer { state.withLock { _ = $0.listeners.removeValue(forKey: number) } }
    return try await body(bell)
  }
}

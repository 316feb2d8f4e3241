import Core
import Synchronization

/// How long the steps under way have been at it, on a clock that nobody can set. It counts from a step's first try; the time
/// in which a step was due and had no turn is left out. In memory only: after a restart it begins anew, and the time in which
/// nobody worked counts against no step.
final class StepTimes: Sendable {
  private struct Entry {
    let operation: ID<Operation>
    let step: String?
    var began: Instant
    var due: Instant?
    /// Since when the guest's agent answers.
    var agentAnswersSince: Instant?
  }

  /// By server, of which at most one operation runs.
  private let entries = Mutex<[ID<Server>: Entry]>([:])

  /// To be called before each try of the step.
  func elapsed(of operation: Operation, at now: Instant) -> Duration {
    entries.withLock { entries in
      var entry = Entry(operation: operation.id, step: operation.step, began: now)
      if let known = entries[operation.serverID], known.operation == operation.id, known.step == operation.step {
        entry.began = known.began + max(.zero, known.due.map { now - $0 } ?? .zero)
        entry.agentAnswersSince = known.agentAnswersSince
      }
      entries[operation.serverID] = entry
      return now - entry.began
    }
  }

  /// For how long the agent of a guest that boots has answered, in the looks of this step.
  func agentAnswers(of server: ID<Server>, at now: Instant) -> Duration {
    entries.withLock { entries in
      let since = entries[server]?.agentAnswersSince ?? now
      entries[server]?.agentAnswersSince = since
      return now - since
    }
  }

  /// The step is tried again then.
  func wait(_ server: ID<Server>, until due: Instant) {
    entries.withLock { $0[server]?.due = due }
  }

  /// The step is over, or has all its time again.
  func forget(_ server: ID<Server>) {
    entries.withLock { _ = $0.removeValue(forKey: server) }
  }
}

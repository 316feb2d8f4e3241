import Core
import Synchronization

/// How long the steps under way have taken, on a clock that nobody can set. Time counts from a step's first try, without the
/// time in which the step was due and not run. It is in memory only: after a restart it begins anew, so no downtime counts
/// against a step.
final class StepTimes: Sendable {
  private struct Entry {
    let operation: ID<Operation>
    let step: String?
    var began: Instant
    var due: Instant?
    /// When the guest's agent was first seen to answer.
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

  /// To be called when the guest's agent answers. Returns the time since it first did so during this step.
  func agentAnswers(of server: ID<Server>, at now: Instant) -> Duration {
    entries.withLock { entries in
      let since = entries[server]?.agentAnswersSince ?? now
      entries[server]?.agentAnswersSince = since
      return now - since
    }
  }

  /// Notes when the step is due again.
  func wait(_ server: ID<Server>, until due: Instant) {
    entries.withLock { $0[server]?.due = due }
  }

  /// Forgets the times of the step: it is over, or gets all its time again.
  func forget(_ server: ID<Server>) {
    entries.withLock { _ = $0.removeValue(forKey: server) }
  }
}

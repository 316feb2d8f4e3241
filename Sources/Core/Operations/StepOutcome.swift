/// The result of a step. It is committed in one transaction with its effect on the server, and only while the lease
/// holds.
package struct StepOutcome: Sendable, Equatable {
  package enum Next: Sendable, Equatable {
    /// The step is done; the named one runs next, at once.
    case advance(to: String)
    /// The step is not done and runs again at this time. `counts` tells whether the wait counts against the step's
    /// deadline.
    case wait(until: Timestamp, counts: Bool = true)
    /// The step has not begun, because its turn has not come. It becomes due when its turn comes, and at this time in
    /// any case.
    case postpone(until: Timestamp)
    /// The step failed and is retried at this time.
    case retry(at: Timestamp, operatorDetail: String)
    case succeed
    /// The operation will fail for this reason. Before that, the named step and those that follow it undo what was
    /// begun.
    case undo(by: String, customerReason: String, operatorDetail: String)
    case fail(customerReason: String, operatorDetail: String)

    /// Whether the operation is over.
    package var isEnd: Bool {
      switch self {
      case .succeed, .fail: true
      case .advance, .wait, .postpone, .retry, .undo: false
      }
    }
  }

  package enum Effect: Sendable, Equatable {
    case imageChosen(version: String)
    /// There is a disk, and a machine that can be started.
    case machineDefined
    /// The server is ready; what was held for its first hour is charged.
    case becameActive
    /// As `becameActive`, of a server that came from a template.
    case becameActiveInstantly
    case becameStopped
    /// The status is `error` with the reason of the failure; what was held for a server that was never ready is given back.
    case enteredError
    /// As `enteredError`, but no machine was made: the address and the reservation on the host are released, too.
    case neverMade
    /// The server has the plan that the operation is about, and its machine has that plan's size.
    case resized
    /// The server's new host, which has begun the move, is ready for it: the present host goes on.
    case leftToSource
    /// The machine is off: the server's new host goes on.
    case leftToTarget
    /// The whole machine is at the new host, which is the server's from now on, with its location and addresses. The
    /// former host removes what it has of it.
    case moved
    /// The server has the operating system that the operation is about, this version of its image, and the keys or the
    /// password that were requested with it. The present disk does not count as the server's any more.
    case systemReplaced(imageVersion: String)
    /// The machine could not be changed and is as before, except for its power. A server that was shut down for the
    /// change gets its former status back; one that was active stays `rebooting` until the following steps have started
    /// it.
    case rolledBack
    /// Nothing of the server is left: address and hold are released and its row is a tombstone.
    case erased
    /// The copy that the operation is about is complete.
    case copyCompleted(sizeBytes: Int64, checksum: String)
    /// The copy could not be made. `isErased` tells whether its file was removed.
    case copyFailed(isErased: Bool)
    /// The file of the copy is gone.
    case copyErased
    /// The disk has the content of the copy, and the server has the operating system that was recorded with the copy.
    case restored
    /// The machine is defined with the requested rescue system, from this version of its image.
    case rescueEntered(imageVersion: String)
    /// The machine is defined with the server's own system again. A server that was stopped before the rescue is
    /// stopped again.
    case rescueLeft

    package var isActivation: Bool { self == .becameActive || self == .becameActiveInstantly }
  }

  package let next: Next
  package let effect: Effect?

  package init(_ next: Next, effect: Effect? = nil) {
    self.next = next
    self.effect = effect
  }
}

package enum CommitResult: Sendable, Equatable {
  case committed
  /// A delete was asked for meanwhile: the effect is recorded, and the operation ends here.
  case cancelled
  /// The lease had been lost; nothing was written.
  case fenced
}

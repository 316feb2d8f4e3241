/// What a step came to. It is committed in one transaction with the effect on the server, and only while the lease holds.
package struct StepOutcome: Sendable, Equatable {
  package enum Next: Sendable, Equatable {
    /// The step is done; the named one comes next, at once.
    case advance(to: String)
    /// The step is not done yet and is looked at again at this time; the time until then counts against its deadline, or not.
    case wait(until: Timestamp, counts: Bool = true)
    /// The step has not begun: its turn has not come. It is hastened when it comes, and asked again at this time in any case.
    case postpone(until: Timestamp)
    /// The step failed and is tried again at this time.
    case retry(at: Timestamp, operatorDetail: String)
    case succeed
    /// The operation will fail for this reason; before that, the named step, and those that follow it, undo what was begun.
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
    case becameStopped
    /// The status is `error` with the reason of the failure; what was held for a server that was never ready is given back.
    case enteredError
    /// The same, and nothing was made of it: its address and its share of the host are given back.
    case neverMade
    /// The server has the plan that the operation is about, and its machine is what that says.
    case resized
    /// The server has the operating system that the operation is about, this version of its image, and the keys or the
    /// password that were asked for with it. The disk that there is is not the server's any more.
    case systemReplaced(imageVersion: String)
    /// The machine could not be changed and is as it was, but for its power. A server that was taken down for this becomes
    /// again what it was; one that was active is still on its way, and started by the steps that follow.
    case rolledBack
    /// Nothing of it is left: address and hold come back and the row is a tombstone.
    case erased
    /// The copy that the operation is about is whole.
    case copyCompleted(sizeBytes: Int64, checksum: String)
    /// The copy could not be made; its file is gone, if it was seen to.
    case copyFailed(isErased: Bool)
    /// The file of the copy is gone.
    case copyErased
    /// The disk is the copy's, with all that is known of it.
    case restored
    /// The machine is what the rescue system that was asked for needs, and that has this version of its image.
    case rescueEntered(imageVersion: String)
    /// The machine is the server's own again. A server that was stopped before the rescue system is so again.
    case rescueLeft
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

/// An operation as its server's history shows it.
package struct OperationRecord: Sendable, Equatable {
  package let id: ID<Operation>
  package let kind: Operation.Kind
  package let state: Operation.State
  /// The current step; nil before the first one and after the end.
  package let step: String?
  /// The name of the token that requested it; nil if the service itself or an operator did.
  package let requestedBy: String?
  package let createdAt: Timestamp
  package let startedAt: Timestamp?
  package let finishedAt: Timestamp?
  /// Why it failed, for the customer to read.
  package let reason: String?
  package let subject: OperationSubject?
  /// What a move changed; nil for other operations.
  package let move: MoveRecord?

  package init(
    id: ID<Operation>, kind: Operation.Kind, state: Operation.State, step: String?, requestedBy: String?,
    createdAt: Timestamp, startedAt: Timestamp?, finishedAt: Timestamp?, reason: String?,
    subject: OperationSubject?, move: MoveRecord? = nil
  ) {
    self.id = id
    self.kind = kind
    self.state = state
    self.step = step
    self.requestedBy = requestedBy
    self.createdAt = createdAt
    self.startedAt = startedAt
    self.finishedAt = finishedAt
    self.reason = reason
    self.subject = subject
    self.move = move
  }
}

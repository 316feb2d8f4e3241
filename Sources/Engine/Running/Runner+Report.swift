import Core
import Logging

extension Runner {
  func report(_ outcome: StepOutcome, of operation: Operation, _ result: CommitResult) {
    let metadata: Logger.Metadata = [
      "server": "\(operation.serverID)", "operation": "\(operation.id)", "workflow": "\(operation.kind.rawValue)",
    ]
    switch (result, outcome.next) {
    case (.fenced, _): logger.warning("a lease was lost; the step is run again", metadata: metadata)
    case (.cancelled, _):
      count(operation, .cancelled)
      logger.info("operation cancelled by a delete", metadata: metadata)
    case (.committed, .succeed):
      count(operation, .succeeded)
      logger.info("operation succeeded", metadata: metadata)
    case (.committed, .fail(_, let detail)):
      count(operation, .failed)
      logger.error("operation failed", metadata: metadata.merging(["detail": "\(detail)"]) { $1 })
    case (.committed, .advance), (.committed, .wait), (.committed, .postpone), (.committed, .retry),
      (.committed, .undo):
      break
    }
  }

  private func count(_ operation: Core.Operation, _ outcome: EngineFigures.Outcome) {
    figures?.count(operation.kind, outcome, after: clock.now - operation.createdAt)
  }
}

import Core

/// Long work as a list of steps. Every step may run again at any time, after it was done, half done, or not begun. So each
/// looks at the present state before it acts, and only *ensures* what it is for.
protocol Workflow: Sendable {
  associatedtype Step: RawRepresentable<String> & CaseIterable & Sendable

  static var firstStep: Step { get }

  func run(_ step: Step, _ context: StepContext) async throws -> StepResult<Step>

  /// How long a step may take, with its retries and waits, before its last try; nil for no limit.
  func timeout(for step: Step, _ timing: MachineTiming) -> Duration?

  /// Called when a step has reached its timeout and one more try has not ended it.
  func onTimeout(_ step: Step, _ context: StepContext) async throws -> StepResult<Step>

  /// The step that undoes what this one may have begun, before the workflow fails; nil where there is nothing to undo. The
  /// workflow fails when that step, or the last of those that follow it, is done.
  func undo(of step: Step) -> Step?

  /// What the server becomes before the step of `undo(of:)` runs.
  func undoEffect(of step: Step) -> StepOutcome.Effect?

  /// What the server becomes when the workflow fails at this step.
  func failureEffect(at step: Step) -> StepOutcome.Effect?
}

extension Workflow {
  func undo(of step: Step) -> Step? { nil }
  func undoEffect(of step: Step) -> StepOutcome.Effect? { nil }
  func failureEffect(at step: Step) -> StepOutcome.Effect? { .enteredError }
}

enum StepResult<Step: Sendable>: Sendable {
  case go(Step, StepOutcome.Effect? = nil)
  /// Not done yet; look again after the driver's poll interval.
  case wait
  /// The host prevents progress, or sees to it that there is some; look again after this time, or after the driver's poll interval. This
  /// wait does not count against the step's timeout.
  case held(for: Duration? = nil)
  /// No slot is free; the step is run again when it has got one.
  case postpone
  case done(StepOutcome.Effect? = nil)
  /// What was begun is removed: the workflow fails for the reason that led here.
  case undone(StepOutcome.Effect? = nil)
}

/// The work cannot be done; trying again would not help.
struct WorkflowFailure: Error {
  let customerReason: String
  let operatorDetail: String
}

extension WorkflowFailure {
  /// Until the image is there, the server goes on with its old system.
  static let imageIsFetched = WorkflowFailure(
    customerReason: "The image of the operating system is being fetched. Rebuild the server once it is there.",
    operatorDetail: "The image was not there, and is being fetched.")
}

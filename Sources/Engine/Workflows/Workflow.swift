import Core

/// Long work as a list of steps. Every step may run again at any time, after it was done, half done, or not begun, so each
/// says *ensure*, and looks at the world before it acts.
protocol Workflow: Sendable {
  associatedtype Step: RawRepresentable<String> & CaseIterable & Sendable

  static var firstStep: Step { get }

  func run(_ step: Step, _ context: StepContext) async throws -> StepResult<Step>

  /// How long a step may take, with its retries and waits, before its last try.
  func timeout(for step: Step, _ timing: MachineTiming) -> Duration?

  /// What follows when a step has not come to an end in its time, and neither with one more try.
  func onTimeout(_ step: Step, _ context: StepContext) async throws -> StepResult<Step>

  /// The step that undoes what this one may have begun, before the workflow fails; nil where there is nothing to undo. The
  /// workflow fails where that, or a step that follows it, is done.
  func undo(of step: Step) -> Step?

  /// What the server becomes before that.
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
  /// The host keeps it from going on; look again after so long, or the driver's poll interval. The time until then does not
  /// count.
  case held(for: Duration? = nil)
  /// Its turn has not come; the step is run again when it has.
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
  /// A server keeps its system, and goes on, until there is another one.
  static let imageIsFetched = WorkflowFailure(
    customerReason: "The image of the operating system is being fetched. Rebuild the server once it is there.",
    operatorDetail: "The image was not there, and is being fetched.")
}

import Core

/// Removes the file of a copy. If that fails until the timeout, the schedule queues it again.
struct DiscardCopy: Workflow {
  enum Step: String, CaseIterable {
    case erase
  }

  static let firstStep = Step.erase

  func run(_ step: Step, _ context: StepContext) async throws -> StepResult<Step> {
    guard let copy = try await context.diskCopy() else { return .done() }
    try await context.driver.ensureCopyAbsent(copy.uuid, of: context.machine)
    return .done(.copyErased)
  }

  func timeout(for step: Step, _ timing: MachineTiming) -> Duration? { .seconds(600) }

  func onTimeout(_ step: Step, _ context: StepContext) async throws -> StepResult<Step> {
    throw WorkflowFailure(
      customerReason: "The copy could not be removed yet.", operatorDetail: "Its file was not removed in its time.")
  }

  func failureEffect(at step: Step) -> StepOutcome.Effect? { nil }
}

import Core

/// Removes every trace of a machine, then releases what the server had reserved. It is retried without a time limit.
struct DeleteServer: Workflow {
  enum Step: String, CaseIterable {
    case erase
  }

  static let firstStep = Step.erase

  func run(_ step: Step, _ context: StepContext) async throws -> StepResult<Step> {
    try await context.driver.ensureAbsent(context.machine)
    return .done(.erased)
  }

  func timeout(for step: Step, _ timing: MachineTiming) -> Duration? { nil }

  func onTimeout(_ step: Step, _ context: StepContext) async throws -> StepResult<Step> { .wait }

  func failureEffect(at step: Step) -> StepOutcome.Effect? { nil }
}

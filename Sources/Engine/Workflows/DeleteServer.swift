import Core

/// Removes every trace of a machine, and then gives back what the server held. It is tried for as long as it takes.
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

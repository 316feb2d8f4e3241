import Core

/// Defines the machine of a server that is off by another plan. The disk grows; the guest sees that at its next boot.
struct ChangePlan: Workflow {
  enum Step: String, CaseIterable {
    case changePlan
  }

  static let firstStep = Step.changePlan

  func run(_ step: Step, _ context: StepContext) async throws -> StepResult<Step> {
    try context.requireMachine()
    try await context.ensureDefined(as: try context.newPlan())
    return .done(.resized)
  }

  func timeout(for step: Step, _ timing: MachineTiming) -> Duration? { .seconds(60) }

  func onTimeout(_ step: Step, _ context: StepContext) async throws -> StepResult<Step> {
    throw WorkflowFailure(
      customerReason: "The server could not be resized.", operatorDetail: "The machine was not changed in its time.")
  }
}

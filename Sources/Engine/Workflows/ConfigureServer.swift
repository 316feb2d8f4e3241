import Core

/// Brings a changed hostname into a running guest. A guest that does not answer takes it at its next start.
struct ConfigureServer: Workflow {
  enum Step: String, CaseIterable {
    case applyHostname
  }

  static let firstStep = Step.applyHostname

  func run(_ step: Step, _ context: StepContext) async throws -> StepResult<Step> {
    // The rescue system keeps a hostname of its own.
    if !context.server.isInRescue, try await context.driver.power(of: context.machine) == .running {
      try await context.driver.applyHostname(context.server.hostname, to: context.machine)
    }
    return .done()
  }

  /// The agent of a guest that has just taken its first login may still be starting.
  func timeout(for step: Step, _ timing: MachineTiming) -> Duration? { .seconds(60) }

  func onTimeout(_ step: Step, _ context: StepContext) async throws -> StepResult<Step> {
    throw WorkflowFailure(
      customerReason: "The server did not take its new hostname; it will at its next start.",
      operatorDetail: "The guest agent did not answer.")
  }

  func failureEffect(at step: Step) -> StepOutcome.Effect? { nil }
}

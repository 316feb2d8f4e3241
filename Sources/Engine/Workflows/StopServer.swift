import Core

/// Asks the guest to shut down, and takes the power away from one that does not in its time.
struct StopServer: Workflow {
  enum Step: String, CaseIterable {
    case requestShutdown, awaitOff, powerOff
  }

  static let firstStep = Step.requestShutdown

  func run(_ step: Step, _ context: StepContext) async throws -> StepResult<Step> {
    switch step {
    case .requestShutdown:
      try await context.driver.requestShutdown(context.machine)
      return .go(.awaitOff)
    case .awaitOff:
      return try await context.isOff() ? .done(.becameStopped) : .wait
    case .powerOff:
      try await context.driver.powerOff(context.machine)
      return try await context.isOff() ? .done(.becameStopped) : .wait
    }
  }

  func patience(for step: Step, _ timing: MachineTiming) -> Duration? {
    switch step {
    case .requestShutdown: .seconds(15)
    case .awaitOff: timing.shutdownDeadline
    case .powerOff: .seconds(60)
    }
  }

  func giveUp(_ step: Step, _ context: StepContext) async throws -> StepResult<Step> {
    guard step == .powerOff else { return .go(.powerOff) }
    throw WorkflowFailure(
      customerReason: "The server could not be stopped.", operatorDetail: "The machine did not go off.")
  }
}

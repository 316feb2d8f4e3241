import Core

/// Asks the guest to shut down, and cuts the power of one that has not done so by its deadline. It is an operation of its own,
/// or the first part of one.
struct StopServer: Workflow {
  enum Step: String, CaseIterable {
    case requestShutdown, awaitOff, powerOff
  }

  static let firstStep = Step.requestShutdown

  /// What the server becomes when it is off; nil where the operation goes on.
  var success: StepOutcome.Effect? = .becameStopped

  func run(_ step: Step, _ context: StepContext) async throws -> StepResult<Step> {
    switch step {
    case .requestShutdown:
      if try await context.isOff() { return .done(success) }
      try await context.driver.requestShutdown(context.machine)
      return .go(.awaitOff)
    case .awaitOff:
      if try await context.isOff() { return .done(success) }
      if Self.shouldAskAgain(after: context.elapsed) { try? await context.driver.requestShutdown(context.machine) }
      return .wait
    case .powerOff:
      try await context.driver.powerOff(context.machine)
      return try await context.isOff() ? .done(success) : .wait
    }
  }

  /// Whether to repeat the request: a guest that has just booted may have missed it, and libvirtd may have died with it.
  package static func shouldAskAgain(after elapsed: Duration) -> Bool {
    let (seconds, interval) = (elapsed.milliseconds / 1000, secondsBetweenRequests)
    return seconds > 0 && seconds % interval == 0
  }

  private static let secondsBetweenRequests: Int64 = 5

  func timeout(for step: Step, _ timing: MachineTiming) -> Duration? {
    switch step {
    // If the host cannot be reached for the request, it cannot be reached to cut the power either.
    case .requestShutdown: .seconds(60)
    case .awaitOff: timing.shutdownDeadline
    case .powerOff: .seconds(60)
    }
  }

  func onTimeout(_ step: Step, _ context: StepContext) async throws -> StepResult<Step> {
    guard step == .powerOff else { return .go(.powerOff) }
    throw WorkflowFailure(
      customerReason: "The server could not be stopped.", operatorDetail: "The machine did not go off.")
  }
}

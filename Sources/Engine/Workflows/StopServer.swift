import Core

/// Asks the guest to shut down, and takes the power away from one that does not in its time. It may be the whole of an
/// operation, or the beginning of one.
struct StopServer: Workflow {
  enum Step: String, CaseIterable {
    case requestShutdown, awaitOff, powerOff
  }

  static let firstStep = Step.requestShutdown

  /// What the server becomes when it is off.
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

  /// A guest that has just booted may not have been listening yet, and what libvirtd was told may have died with it.
  package static func shouldAskAgain(after elapsed: Duration) -> Bool {
    let (seconds, interval) = (elapsed.milliseconds / 1000, secondsBetweenRequests)
    return seconds > 0 && seconds % interval == 0
  }

  private static let secondsBetweenRequests: Int64 = 5

  func timeout(for step: Step, _ timing: MachineTiming) -> Duration? {
    switch step {
    // A host that cannot be reached to ask for it could not take the power away either.
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

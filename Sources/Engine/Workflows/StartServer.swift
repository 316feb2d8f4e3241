import Core

/// Defines and starts a machine: for a customer, for the reconciler after a crash, or at the end of an operation that has shut
/// the server down.
struct StartServer: Workflow {
  enum Step: String, CaseIterable {
    case define, start, awaitReady
  }

  static let firstStep = Step.define

  /// Whether to start only a server that this operation has shut down. Any other stays as it is: it was off before, or was
  /// stopped or started meanwhile, which has an operation of its own.
  var onlyWherePoweredOff = false

  func run(_ step: Step, _ context: StepContext) async throws -> StepResult<Step> {
    switch step {
    case .define:
      if onlyWherePoweredOff, context.server.status != .rebooting { return .done() }
      try await context.ensureDefined()
      return .go(.start, .machineDefined)
    case .start:
      guard context.acquireBootSlot() else { return .postpone }
      try await context.driver.start(context.machine)
      return .go(.awaitReady)
    case .awaitReady:
      return try await context.awaitReady()
    }
  }

  func timeout(for step: Step, _ timing: MachineTiming) -> Duration? {
    switch step {
    case .define, .start: .seconds(60)
    case .awaitReady: timing.bootDeadline
    }
  }

  func onTimeout(_ step: Step, _ context: StepContext) async throws -> StepResult<Step> {
    guard step == .awaitReady else {
      throw WorkflowFailure(
        customerReason: "The server could not be started.",
        operatorDetail: "The step \(step) was not done in its time.")
    }
    try await context.acceptRunningUnlessFirstBoot()
    return .done(.becameActive)
  }
}

import Core

/// From a defined machine to one that runs: asked for by a customer, or by the reconciler after a crash, or the end of what
/// has taken the server down.
struct StartServer: Workflow {
  enum Step: String, CaseIterable {
    case define, start, awaitReady
  }

  static let firstStep = Step.define

  /// Whether only a server is started that was taken down for this. Any other stays as it is: it was off, or its power
  /// switch was pressed meanwhile, and that has an operation of its own.
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

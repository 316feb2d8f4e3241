import Core

/// A change that a machine must be off for: what was active is shut down, changed, and started again; what was stopped is
/// changed, and stays stopped. While nothing is changed yet, a failure takes the server back to what it was: what was active
/// comes up again before the operation fails, and so before anything that waits for this server has its turn.
struct PoweredOff<Whole: Workflow>: Workflow {
  typealias Step = Whole.Step

  static var firstStep: Step { Whole.firstStep }

  private let whole: Whole

  func run(_ step: Step, _ context: StepContext) async throws -> StepResult<Step> {
    try await whole.run(step, context)
  }

  func timeout(for step: Step, _ timing: MachineTiming) -> Duration? { whole.timeout(for: step, timing) }

  func onTimeout(_ step: Step, _ context: StepContext) async throws -> StepResult<Step> {
    try await whole.onTimeout(step, context)
  }

  func undo(of step: Step) -> Step? {
    let isComingUp = StartServer.Step(rawValue: step.rawValue) != nil
    return isComingUp ? nil : Step(rawValue: StartServer.firstStep.rawValue)
  }

  func undoEffect(of step: Step) -> StepOutcome.Effect? { .rolledBack }

  func failureEffect(at step: Step) -> StepOutcome.Effect? { whole.failureEffect(at: step) }
}

typealias DownAndUp<Change: Workflow> = Chain<StopServer, Chain<Change, StartServer>>

extension Chain {
  fileprivate init<Change: Workflow>(_ change: Change) where First == StopServer, Second == Chain<Change, StartServer> {
    self.init(StopServer(success: nil), Chain<Change, StartServer>(change, StartServer(onlyWherePoweredOff: true)))
  }
}

extension PoweredOff {
  init<Change: Workflow>(_ change: Change) where Whole == DownAndUp<Change> {
    whole = Chain(change)
  }

  /// - Parameter first: What is done while the server still is as it was.
  init<First: Workflow, Change: Workflow>(after first: First, _ change: Change)
  where Whole == Chain<First, DownAndUp<Change>> {
    whole = Chain(first, Chain(change))
  }
}

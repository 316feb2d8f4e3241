import Core

/// A change for which the machine must be off: an active server is shut down, changed and started again. A stopped one is
/// changed and stays stopped, but is started after a rebuild and for a rescue. A failure before the change is made restores the
/// former status: a server that was active is started again before the operation fails, and so before the server's next
/// operation begins.
struct PoweredOff<Whole: Workflow>: Workflow {
  typealias Step = Whole.Step

  static var firstStep: Step { Whole.firstStep }

  private let whole: Whole

  private init(whole: Whole) {
    self.whole = whole
  }

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

typealias MovedMachine = Chain<FindHost, Chain<StopServer, Chain<ReceiveMachine, StartServer>>>

extension PoweredOff where Whole == MovedMachine {
  /// The change of a move, which begins and ends at the server's new host.
  static var move: Self {
    Self(
      whole: Chain(
        FindHost(),
        Chain(
          StopServer(success: .leftToTarget), Chain(ReceiveMachine(), StartServer(onlyWherePoweredOff: true)))))
  }
}

extension PoweredOff {
  init<Change: Workflow>(_ change: Change) where Whole == DownAndUp<Change> {
    self.init(whole: Chain(change))
  }

  /// - Parameter first: Runs before the shutdown, while the server is still unchanged.
  init<First: Workflow, Change: Workflow>(after first: First, _ change: Change)
  where Whole == Chain<First, DownAndUp<Change>> {
    self.init(whole: Chain(first, Chain(change)))
  }
}

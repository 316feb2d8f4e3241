import Core

/// A shutdown and a start: the machine comes back with its newest definition, and a new boot is certain.
struct RebootServer: Workflow {
  enum Step: String, CaseIterable {
    case requestShutdown, awaitOff, powerOff, define, start, awaitReady
  }

  static let firstStep = Step.requestShutdown

  private let stop = StopServer()
  private let start = StartServer()

  func run(_ step: Step, _ context: StepContext) async throws -> StepResult<Step> {
    try await part(step, stop: { try await stop.run($0, context) }, start: { try await start.run($0, context) })
  }

  func patience(for step: Step, _ timing: MachineTiming) -> Duration? {
    if let step = StopServer.Step(rawValue: step.rawValue) { return stop.patience(for: step, timing) }
    return StartServer.Step(rawValue: step.rawValue).flatMap { start.patience(for: $0, timing) }
  }

  func giveUp(_ step: Step, _ context: StepContext) async throws -> StepResult<Step> {
    try await part(step, stop: { try await stop.giveUp($0, context) }, start: { try await start.giveUp($0, context) })
  }

  /// The first half is a stop whose end is the beginning of the second, a start.
  private func part(
    _ step: Step, stop: (StopServer.Step) async throws -> StepResult<StopServer.Step>,
    start: (StartServer.Step) async throws -> StepResult<StartServer.Step>
  ) async throws -> StepResult<Step> {
    if let step = StopServer.Step(rawValue: step.rawValue) {
      switch try await stop(step) {
      case .go(let next, let effect): return .go(Self.same(next), effect)
      case .wait: return .wait
      case .postpone: return .postpone
      case .done: return .go(.define)
      }
    }
    switch try await start(StartServer.Step(rawValue: step.rawValue)!) {
    case .go(let next, let effect): return .go(Self.same(next), effect)
    case .wait: return .wait
    case .postpone: return .postpone
    case .done(let effect): return .done(effect)
    }
  }

  private static func same(_ step: some RawRepresentable<String>) -> Step { Step(rawValue: step.rawValue)! }
}

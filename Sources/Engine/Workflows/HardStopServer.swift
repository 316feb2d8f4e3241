import Core

/// Cuts the power at once: only the last step of `StopServer`.
struct HardStopServer: Workflow {
  enum Step: String, CaseIterable {
    case powerOff
  }

  static let firstStep = Step.powerOff

  private let stop = StopServer()

  func run(_ step: Step, _ context: StepContext) async throws -> StepResult<Step> {
    switch try await stop.run(.powerOff, context) {
    case .go, .wait, .held, .postpone, .undone: .wait
    case .done(let effect): .done(effect)
    }
  }

  func timeout(for step: Step, _ timing: MachineTiming) -> Duration? { stop.timeout(for: .powerOff, timing) }

  func onTimeout(_ step: Step, _ context: StepContext) async throws -> StepResult<Step> {
    _ = try await stop.onTimeout(.powerOff, context)
    return .wait
  }
}

import Core

/// Two workflows in sequence. The names of their steps must differ.
struct Chain<First: Workflow, Second: Workflow>: Workflow {
  enum Step: Sendable {
    case first(First.Step)
    case second(Second.Step)
  }

  static var firstStep: Step { .first(First.firstStep) }

  let first: First
  let second: Second

  init(_ first: First, _ second: Second) {
    self.first = first
    self.second = second
  }

  func run(_ step: Step, _ context: StepContext) async throws -> StepResult<Step> {
    switch step {
    case .first(let step): Self.result(of: try await first.run(step, context))
    case .second(let step): Self.result(of: try await second.run(step, context))
    }
  }

  func onTimeout(_ step: Step, _ context: StepContext) async throws -> StepResult<Step> {
    switch step {
    case .first(let step): Self.result(of: try await first.onTimeout(step, context))
    case .second(let step): Self.result(of: try await second.onTimeout(step, context))
    }
  }

  func timeout(for step: Step, _ timing: MachineTiming) -> Duration? {
    switch step {
    case .first(let step): first.timeout(for: step, timing)
    case .second(let step): second.timeout(for: step, timing)
    }
  }

  func undo(of step: Step) -> Step? {
    switch step {
    case .first(let step): first.undo(of: step).map(Step.first)
    case .second(let step): second.undo(of: step).map(Step.second)
    }
  }

  func failureEffect(at step: Step) -> StepOutcome.Effect? {
    switch step {
    case .first(let step): first.failureEffect(at: step)
    case .second(let step): second.failureEffect(at: step)
    }
  }

  private static func result(of result: StepResult<First.Step>) -> StepResult<Step> {
    switch result {
    case .go(let next, let effect): .go(.first(next), effect)
    case .wait: .wait
    case .held(let pause): .held(for: pause)
    case .postpone: .postpone
    case .done(let effect): .go(.second(Second.firstStep), effect)
    case .undone(let effect): .undone(effect)
    }
  }

  private static func result(of result: StepResult<Second.Step>) -> StepResult<Step> {
    switch result {
    case .go(let next, let effect): .go(.second(next), effect)
    case .wait: .wait
    case .held(let pause): .held(for: pause)
    case .postpone: .postpone
    case .done(let effect): .done(effect)
    case .undone(let effect): .undone(effect)
    }
  }
}

extension Chain.Step: RawRepresentable, CaseIterable {
  init?(rawValue: String) {
    if let step = First.Step(rawValue: rawValue) {
      self = .first(step)
    } else if let step = Second.Step(rawValue: rawValue) {
      self = .second(step)
    } else {
      return nil
    }
  }

  var rawValue: String {
    switch self {
    case .first(let step): step.rawValue
    case .second(let step): step.rawValue
    }
  }

  static var allCases: [Self] { First.Step.allCases.map(Self.first) + Second.Step.allCases.map(Self.second) }
}

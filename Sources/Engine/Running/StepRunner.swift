import Core
import Logging

/// Runs one step of whatever workflow an operation is, and says what came of it. It never throws: every way to fail has an
/// outcome.
struct StepRunner: Sendable {
  static let retryDelay = Duration.milliseconds(500)
  static let maximumRetryDelay = Duration.seconds(30)

  let clock: any WallClock
  let logger: Logger

  func outcome(of context: StepContext) async -> StepOutcome {
    await outcome(context.lease.operation.kind.workflow, context)
  }

  private func outcome<W: Workflow>(_ workflow: W, _ context: StepContext) async -> StepOutcome {
    let operation = context.lease.operation
    let step = operation.step.flatMap(W.Step.init(rawValue:)) ?? W.firstStep
    let patience = workflow.patience(for: step, context.driver.timing)
    let isLate = patience.map { clock.now - (operation.stepStartedAt ?? clock.now) >= $0 } ?? false
    do {
      let result = isLate ? try await workflow.giveUp(step, context) : try await workflow.run(step, context)
      return outcome(result, context)
    } catch let error as DriverError {
      let isFinal = patience != nil && (isLate || !error.isWorthRetrying)
      return outcome(error, isFinal: isFinal, workflow.failureEffect(at: step), context)
    } catch let error as WorkflowFailure {
      // Why it took too long is what the operator must know.
      let last = operation.failures > 0 ? operation.operatorDetail.map { " The last failure: \($0)" } : nil
      return StepOutcome(
        .fail(customerReason: error.customerReason, operatorDetail: error.operatorDetail + (last ?? "")),
        effect: workflow.failureEffect(at: step))
    } catch {
      // The store, or the task was cancelled: neither says anything about the machine.
      return outcome(DriverError(.unreachable, String(reflecting: error)), isFinal: false, nil, context)
    }
  }

  private func outcome<Step>(_ result: StepResult<Step>, _ context: StepContext) -> StepOutcome
  where Step: RawRepresentable<String> {
    switch result {
    case .go(let next, let effect): StepOutcome(.advance(to: next.rawValue), effect: effect)
    case .wait: StepOutcome(.wait(until: clock.now + context.driver.timing.pollInterval))
    case .postpone: StepOutcome(.postpone(until: clock.now + context.driver.timing.pollInterval))
    case .done(let effect): StepOutcome(.succeed, effect: effect)
    }
  }

  private func outcome(
    _ error: DriverError, isFinal: Bool, _ failureEffect: StepOutcome.Effect?, _ context: StepContext
  ) -> StepOutcome {
    let operation = context.lease.operation
    logger.log(
      level: isFinal ? .error : .warning, "step failed",
      metadata: [
        "server": "\(operation.serverID)", "operation": "\(operation.kind.rawValue)",
        "step": "\(operation.step ?? "first")", "failures": "\(operation.failures + 1)",
        "kind": "\(error.kind.rawValue)", "detail": "\(error.detail)",
      ])
    if isFinal {
      return StepOutcome(
        .fail(
          customerReason: error.customerReason ?? "The host could not carry out this operation.",
          operatorDetail: error.detail),
        effect: failureEffect)
    }
    return StepOutcome(
      .retry(at: clock.now + Self.delay(after: operation.failures), operatorDetail: error.detail))
  }

  /// Doubles with every failure, up to a limit, and is spread so that many do not try again at the same moment.
  private static func delay(after failures: Int) -> Duration {
    let doubled = retryDelay * (1 << min(failures, 6))
    return min(doubled, maximumRetryDelay) * Double.random(in: 0.5...1)
  }
}

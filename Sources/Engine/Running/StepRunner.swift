import Core
import Logging

/// Runs one step of an operation's workflow and returns its outcome. It never throws: every failure has an outcome.
struct StepRunner: Sendable {
  static let retryDelay = Duration.milliseconds(500)
  static let maximumRetryDelay = Duration.seconds(30)
  /// A step that gets its slot is run at once; this is only a limit in case that was missed.
  static let longestTurn = Duration.seconds(600)

  let clock: any WallClock
  let logger: Logger

  /// Of a step that could not begin, because what it is about cannot be read.
  static func outcome(ofNotBeginning error: any Error, at now: Timestamp) -> StepOutcome {
    StepOutcome(.retry(at: now + maximumRetryDelay, operatorDetail: String(reflecting: error)))
  }

  func outcome(of context: StepContext) async -> StepOutcome {
    await outcome(context.lease.operation.kind.workflow, context)
  }

  private func outcome<W: Workflow>(_ workflow: W, _ context: StepContext) async -> StepOutcome {
    let operation = context.lease.operation
    let step = operation.step.flatMap(W.Step.init(rawValue:)) ?? W.firstStep
    let timeout = workflow.timeout(for: step, context.timing)
    let isLate = timeout.map { context.elapsed >= $0 } ?? false
    var lastFailure = operation.failures > 0 ? operation.operatorDetail : nil
    do {
      let result =
        isLate
        ? try await lastResult(of: workflow, at: step, context, &lastFailure)
        : try await workflow.run(step, context)
      return outcome(result, context)
    } catch let error as DriverError {
      let isFinal = timeout != nil && (isLate || !error.isWorthRetrying)
      log(error, isFinal: isFinal, operation)
      guard isFinal else { return retry(operation, error.detail) }
      let failure = WorkflowFailure(
        customerReason: error.customerReason ?? "The host could not carry out this operation.",
        operatorDetail: error.detail)
      return outcome(failure, of: workflow, at: step, operation)
    } catch let error as WorkflowFailure {
      // The last failure tells the operator why the step took too long.
      let last = lastFailure.map { " The last failure: \($0)" }
      let failure = WorkflowFailure(
        customerReason: error.customerReason, operatorDetail: error.operatorDetail + (last ?? ""))
      return outcome(failure, of: workflow, at: step, operation)
    } catch {
      // The store failed or the task was cancelled: neither says anything about the machine.
      let detail = String(reflecting: error)
      log(DriverError(.unreachable, detail), isFinal: false, operation)
      return retry(operation, detail)
    }
  }

  /// Runs a step once more after its timeout: what it waits for may have happened since the last try.
  private func lastResult<W: Workflow>(
    of workflow: W, at step: W.Step, _ context: StepContext, _ lastFailure: inout String?
  ) async throws -> StepResult<W.Step> {
    do {
      let result = try await workflow.run(step, context)
      guard case .wait = result else { return result }
    } catch let error as DriverError where error.isWorthRetrying {
      log(error, isFinal: false, context.lease.operation)
      lastFailure = error.detail
    }
    return try await workflow.onTimeout(step, context)
  }

  private func outcome<Step>(_ result: StepResult<Step>, _ context: StepContext) -> StepOutcome
  where Step: RawRepresentable<String> {
    switch result {
    case .go(let next, let effect): StepOutcome(.advance(to: next.rawValue), effect: effect)
    case .wait: StepOutcome(.wait(until: clock.now + context.timing.pollInterval))
    case .held(let pause):
      StepOutcome(.wait(until: clock.now + (pause ?? context.timing.pollInterval), counts: false))
    case .postpone: StepOutcome(.postpone(until: clock.now + Self.longestTurn))
    // Where a reason for failure is recorded, the steps since then have undone the work.
    case .done(let effect) where context.lease.operation.customerReason != nil: failed(context.lease.operation, effect)
    case .done(let effect): StepOutcome(.succeed, effect: effect)
    case .undone(let effect): failed(context.lease.operation, effect)
    }
  }

  /// The customer is told why the work failed, not what went wrong when it was undone afterwards.
  private func outcome<W: Workflow>(
    _ failure: WorkflowFailure, of workflow: W, at step: W.Step, _ operation: Core.Operation
  ) -> StepOutcome {
    if let undo = workflow.undo(of: step) {
      return StepOutcome(
        .undo(
          by: undo.rawValue, customerReason: failure.customerReason, operatorDetail: failure.operatorDetail),
        effect: workflow.undoEffect(of: step))
    }
    let customerReason = operation.customerReason ?? failure.customerReason
    return StepOutcome(
      .fail(customerReason: customerReason, operatorDetail: failure.operatorDetail),
      effect: workflow.failureEffect(at: step))
  }

  /// Fails the operation for the reason that was recorded before its work was undone.
  private func failed(_ operation: Core.Operation, _ effect: StepOutcome.Effect?) -> StepOutcome {
    StepOutcome(
      .fail(
        customerReason: operation.customerReason ?? "The host could not carry out this operation.",
        operatorDetail: operation.operatorDetail ?? "It is not known why."),
      effect: effect)
  }

  private func retry(_ operation: Core.Operation, _ detail: String) -> StepOutcome {
    StepOutcome(.retry(at: clock.now + Self.delay(after: operation.failures), operatorDetail: detail))
  }

  private func log(_ error: DriverError, isFinal: Bool, _ operation: Core.Operation) {
    logger.log(
      level: isFinal ? .error : .warning, "step failed",
      metadata: [
        "server": "\(operation.serverID)", "operation": "\(operation.id)",
        "workflow": "\(operation.kind.rawValue)",
        "step": "\(operation.step ?? "first")", "failures": "\(operation.failures + 1)",
        "kind": "\(error.kind.rawValue)", "detail": "\(error.detail)",
      ])
  }

  /// Doubles with every failure, up to a limit, and is spread so that many do not try again at the same moment.
  private static func delay(after failures: Int) -> Duration {
    let doubled = retryDelay * (1 << min(failures, 6))
    return min(doubled, maximumRetryDelay) * Double.random(in: 0.5...1)
  }
}

import Core

/// Replaces the disk of a machine that is off by a copy. The old disk stays until the new one is complete.
struct RestoreDisk: Workflow {
  enum Step: String, CaseIterable {
    case restoreDisk
  }

  static let firstStep = Step.restoreDisk

  func run(_ step: Step, _ context: StepContext) async throws -> StepResult<Step> {
    do {
      return try await restore(context)
    } catch let error as DriverError where !error.isWorthRetrying {
      return try await fail(error, context)
    } catch let error as WorkflowFailure {
      return try await fail(error, context)
    }
  }

  private func restore(_ context: StepContext) async throws -> StepResult<Step> {
    guard let copy = try await context.diskCopy(), let checksum = copy.checksum else {
      throw WorkflowFailure(customerReason: "The copy was removed.", operatorDetail: "There is no completed copy.")
    }
    switch try await context.driver.ensureRestored(context.machine, from: copy.uuid, checksum: checksum) {
    case .underWay: return .wait
    case .done: return .done(.restored)
    }
  }

  /// Ends the restore first: the disk must not be replaced once it was said that it is not. The failure waits for that end.
  private func fail(_ failure: any Error, _ context: StepContext) async throws -> StepResult<Step> {
    // A copy that is no more has no restore of its own; any other restore of the machine ends, too.
    let copy = try await context.diskCopy()?.uuid ?? context.machine
    do {
      if try await context.driver.endRestore(of: context.machine, from: copy) { return .done(.restored) }
    } catch let error as DriverError where error.isWorthRetrying {
      return .held()
    }
    throw failure
  }

  func timeout(for step: Step, _ timing: MachineTiming) -> Duration? { timing.copyDeadline }

  func onTimeout(_ step: Step, _ context: StepContext) async throws -> StepResult<Step> {
    try await fail(
      WorkflowFailure(
        customerReason: "The server could not be restored.", operatorDetail: "The disk was not restored in its time."),
      context)
  }
}

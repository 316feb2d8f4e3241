import Core

/// Makes a copy of the server's disk, whether the server runs or not. Where that fails, nothing of it is left.
struct CopyDisk: Workflow {
  enum Step: String, CaseIterable {
    case copy, clean
  }

  static let firstStep = Step.copy

  func run(_ step: Step, _ context: StepContext) async throws -> StepResult<Step> {
    guard let copy = try await context.diskCopy() else {
      throw WorkflowFailure(customerReason: "The copy was removed.", operatorDetail: "Its row is a tombstone.")
    }
    switch step {
    case .copy:
      guard context.server.machine.hasDisk else {
        throw WorkflowFailure(
          customerReason: Failure.neverCreated.message, operatorDetail: "There is no disk that could be copied.")
      }
      guard context.mayCopy() else { return .postpone }
      switch try await context.driver.ensureCopied(context.machine, as: copy.uuid) {
      case .underWay: return .wait
      case .done(let disk): return .done(.copyCompleted(sizeBytes: disk.sizeBytes, checksum: disk.checksum))
      }
    case .clean:
      try await context.driver.ensureCopyAbsent(copy.uuid, of: context.machine)
      return .undone(.copyFailed(isErased: true))
    }
  }

  func patience(for step: Step, _ timing: MachineTiming) -> Duration? {
    switch step {
    case .copy: timing.copyDeadline
    case .clean: .seconds(600)
    }
  }

  func giveUp(_ step: Step, _ context: StepContext) async throws -> StepResult<Step> {
    throw WorkflowFailure(
      customerReason: "The copy could not be made.", operatorDetail: "The step \(step) was not done in its time.")
  }

  func undo(of step: Step) -> Step? { step == .copy ? .clean : nil }

  /// What is left of a copy that not even the cleaning could remove is known to the store, and tried again by the schedule.
  func failureEffect(at step: Step) -> StepOutcome.Effect? { .copyFailed(isErased: false) }
}

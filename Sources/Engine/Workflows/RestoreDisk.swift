import Core

/// Replaces the disk of a machine that is off by a copy. The old disk stays until the new one is complete.
struct RestoreDisk: Workflow {
  enum Step: String, CaseIterable {
    case restoreDisk
  }

  static let firstStep = Step.restoreDisk

  func run(_ step: Step, _ context: StepContext) async throws -> StepResult<Step> {
    guard let copy = try await context.diskCopy(), let checksum = copy.checksum else {
      throw WorkflowFailure(customerReason: "The copy was removed.", operatorDetail: "There is no completed copy.")
    }
    switch try await context.driver.ensureRestored(context.machine, from: copy.uuid, checksum: checksum) {
    case .underWay: return .wait
    case .done: return .done(.restored)
    }
  }

  func timeout(for step: Step, _ timing: MachineTiming) -> Duration? { timing.copyDeadline }

  func onTimeout(_ step: Step, _ context: StepContext) async throws -> StepResult<Step> {
    throw WorkflowFailure(
      customerReason: "The server could not be restored.", operatorDetail: "The disk was not restored in its time.")
  }
}

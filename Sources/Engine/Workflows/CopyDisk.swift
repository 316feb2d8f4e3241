import Core

/// Makes a copy of the server's disk, whether the server runs or not. Where that fails, nothing of it is left.
struct CopyDisk: Workflow {
  enum Step: String, CaseIterable {
    case awaitGuest, copy, clean
  }

  static let firstStep = Step.awaitGuest

  func run(_ step: Step, _ context: StepContext) async throws -> StepResult<Step> {
    guard let copy = try await context.diskCopy() else {
      throw WorkflowFailure(customerReason: "The copy was removed.", operatorDetail: "Its row is a tombstone.")
    }
    switch step {
    case .awaitGuest:
      try context.requireMachine()
      guard !context.server.machine.awaitsNewDisk else {
        throw WorkflowFailure(
          customerReason: "The server has no disk until it is rebuilt or restored.",
          operatorDetail: "The disk that there may be is of the system before a rebuild that failed.")
      }
      return try await hasGuestToWaitFor(context) ? .wait : .go(.copy)
    case .copy:
      guard context.acquireCopySlot() else { return .postpone }
      switch try await context.driver.ensureCopied(context.machine, as: copy.uuid) {
      case .underWay: return .wait
      case .done(let disk): return .done(.copyCompleted(sizeBytes: disk.sizeBytes, checksum: disk.checksum))
      }
    case .clean:
      try await context.driver.ensureCopyAbsent(copy.uuid, of: context.machine)
      return .undone(.copyFailed(isErased: true))
    }
  }

  /// Whether to wait for the agent, by which the guest writes its memory to disk first: after a boot it may not be up yet.
  private func hasGuestToWaitFor(_ context: StepContext) async throws -> Bool {
    guard try await context.driver.power(of: context.machine) == .running else { return false }
    return try await !context.driver.readiness(of: context.machine).hasAgent
  }

  func timeout(for step: Step, _ timing: MachineTiming) -> Duration? {
    switch step {
    case .awaitGuest: .seconds(30)
    case .copy: timing.copyDeadline
    case .clean: .seconds(600)
    }
  }

  /// A guest that has no agent is copied as if its power had been cut.
  func onTimeout(_ step: Step, _ context: StepContext) async throws -> StepResult<Step> {
    if step == .awaitGuest { return .go(.copy) }
    throw WorkflowFailure(
      customerReason: "The copy could not be made.", operatorDetail: "The step \(step) was not done in its time.")
  }

  func undo(of step: Step) -> Step? { step == .clean ? nil : .clean }

  /// Where even the step `clean` failed, the store remembers that there may be a file, and the schedule removes it later.
  func failureEffect(at step: Step) -> StepOutcome.Effect? { .copyFailed(isErased: false) }
}

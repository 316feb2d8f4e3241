import Core

/// Brings changed addresses to the server's host and into a running guest. A guest that does not take them, or a server without
/// a machine, gets them at its next start. A host that does not take them is asked again by the `Monitor`.
struct ReaddressServer: Workflow {
  enum Step: String, CaseIterable {
    case define, applyAddresses
  }

  static let firstStep = Step.define

  func run(_ step: Step, _ context: StepContext) async throws -> StepResult<Step> {
    switch step {
    case .define:
      // Without a disk, or with one that is to be replaced, there is nothing to do: whatever makes the disk defines the
      // machine.
      guard context.server.machine.hasDisk, !context.server.machine.awaitsNewDisk else { return .done() }
      try await context.ensureDefined()
      return .go(.applyAddresses)
    case .applyAddresses:
      if try await context.driver.power(of: context.machine) == .running {
        try await context.driver.applyAddresses(of: context.networkInterface(), to: context.machine)
      }
      return .done()
    }
  }

  /// The agent of a guest that has just taken its first login may still be starting.
  func timeout(for step: Step, _ timing: MachineTiming) -> Duration? {
    .seconds(60)
  }

  func onTimeout(_ step: Step, _ context: StepContext) async throws -> StepResult<Step> {
    switch step {
    case .define:
      throw WorkflowFailure(
        customerReason: "The host did not take the server's new addresses; it will be asked again.",
        operatorDetail: "The machine was not defined in its time.")
    case .applyAddresses:
      throw WorkflowFailure(
        customerReason: "The server did not take its new addresses; it will at its next start.",
        operatorDetail: "The guest agent did not answer.")
    }
  }

  func failureEffect(at step: Step) -> StepOutcome.Effect? { nil }
}

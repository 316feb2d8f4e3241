import Core

/// Gives a server that is off another operating system. Its old disk is obsolete from then on: the next definition of the
/// machine removes it and makes a new one.
struct ReplaceSystem: Workflow {
  enum Step: String, CaseIterable {
    case replaceSystem
  }

  static let firstStep = Step.replaceSystem

  func run(_ step: Step, _ context: StepContext) async throws -> StepResult<Step> {
    switch try await context.prepareImage(of: context.newSystem()) {
    case .ready(let version): return .done(.systemReplaced(imageVersion: version))
    case .underWay: throw WorkflowFailure.imageIsFetched
    }
  }

  func timeout(for step: Step, _ timing: MachineTiming) -> Duration? { .seconds(60) }

  func onTimeout(_ step: Step, _ context: StepContext) async throws -> StepResult<Step> {
    throw WorkflowFailure(
      customerReason: "The server could not be rebuilt.", operatorDetail: "The image was not ready in its time.")
  }
}

/// Checks, before the server is shut down, that the image of the new system is there.
struct FindImage: Workflow {
  enum Step: String, CaseIterable {
    case findImage
  }

  static let firstStep = Step.findImage

  func run(_ step: Step, _ context: StepContext) async throws -> StepResult<Step> {
    try context.requireMachine()
    guard context.server.status != .error else {
      throw WorkflowFailure(
        customerReason: "Insufficient credits.", operatorDetail: "The first hour of a server in error was not paid for."
      )
    }
    let system = try context.newSystem()
    guard case .ready = try await context.prepareImage(of: system) else { throw WorkflowFailure.imageIsFetched }
    if try await context.store.sealedUserData(ofRebuild: context.lease.operation.id) != nil {
      try await context.requireUserData(of: system)
    }
    return .done()
  }

  func timeout(for step: Step, _ timing: MachineTiming) -> Duration? { .seconds(60) }

  func onTimeout(_ step: Step, _ context: StepContext) async throws -> StepResult<Step> {
    throw WorkflowFailure(
      customerReason: "The server could not be rebuilt.", operatorDetail: "The image was not found in its time.")
  }
}

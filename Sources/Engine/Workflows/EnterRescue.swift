import Core

/// Checks, before the server is shut down, that the rescue system can be booted and that there is a disk to be rescued.
struct FindRescueImage: Workflow {
  enum Step: String, CaseIterable {
    case findRescueImage
  }

  static let firstStep = Step.findRescueImage

  func run(_ step: Step, _ context: StepContext) async throws -> StepResult<Step> {
    try context.requireMachine()
    guard !context.server.machine.awaitsNewDisk else {
      throw WorkflowFailure(
        customerReason: "The server has no disk until it is rebuilt or restored.",
        operatorDetail: "The disk that there may be is of the system before a rebuild that failed.")
    }
    guard context.server.status != .error else {
      throw WorkflowFailure(
        customerReason: "Insufficient credits.", operatorDetail: "The first hour of a server in error was not paid for."
      )
    }
    let version = try await context.prepareRescueImage()
    let rescue = try context.specification(of: try context.requestedRescue(), imageVersion: version)
    do {
      try await context.driver.requireRescuable(context.machine, by: rescue)
    } catch let error as DriverError where error.kind == .exhausted {
      // Fails at once instead of retrying: the server still runs, and the customer can ask again later.
      throw WorkflowFailure(
        customerReason: error.customerReason ?? "The rescue system could not be booted.", operatorDetail: error.detail)
    }
    return .done()
  }

  func timeout(for step: Step, _ timing: MachineTiming) -> Duration? { .seconds(60) }

  func onTimeout(_ step: Step, _ context: StepContext) async throws -> StepResult<Step> {
    throw WorkflowFailure(
      customerReason: "The rescue system could not be booted.",
      operatorDetail: "The host did not say in time that it has what the rescue system needs.")
  }
}

/// Defines the machine of a server that is off so that it boots the rescue system.
struct EnterRescue: Workflow {
  enum Step: String, CaseIterable {
    case enterRescue
  }

  static let firstStep = Step.enterRescue

  func run(_ step: Step, _ context: StepContext) async throws -> StepResult<Step> {
    let rescue = try context.requestedRescue()
    let version = try await context.prepareRescueImage()
    try await context.ensureDefined(in: context.specification(of: rescue, imageVersion: version))
    return .done(.rescueEntered(imageVersion: version))
  }

  func timeout(for step: Step, _ timing: MachineTiming) -> Duration? { .seconds(60) }

  func onTimeout(_ step: Step, _ context: StepContext) async throws -> StepResult<Step> {
    throw WorkflowFailure(
      customerReason: "The rescue system could not be booted.",
      operatorDetail: "The machine was not changed in its time.")
  }
}

/// Defines the machine of a server that is off so that it boots the server's own system again.
struct LeaveRescue: Workflow {
  enum Step: String, CaseIterable {
    case leaveRescue
  }

  static let firstStep = Step.leaveRescue

  func run(_ step: Step, _ context: StepContext) async throws -> StepResult<Step> {
    try await context.ensureDefined(in: nil)
    return .done(.rescueLeft)
  }

  func timeout(for step: Step, _ timing: MachineTiming) -> Duration? { .seconds(60) }

  func onTimeout(_ step: Step, _ context: StepContext) async throws -> StepResult<Step> {
    throw WorkflowFailure(
      customerReason: "The rescue system could not be left.", operatorDetail: "The machine was not changed in its time."
    )
  }
}

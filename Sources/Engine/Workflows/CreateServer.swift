import Core

/// Makes the machine of a new server, up to the point where it accepts SSH logins.
struct CreateServer: Workflow {
  enum Step: String, CaseIterable {
    case prepareImage, claimAddress, define, start, awaitReady, clean
  }

  static let firstStep = Step.prepareImage

  func run(_ step: Step, _ context: StepContext) async throws -> StepResult<Step> {
    switch step {
    case .prepareImage:
      guard case .ready(let version) = try await context.prepareImage(of: context.operatingSystem) else {
        return .held(for: StepContext.fetchInterval)
      }
      if try await context.store.sealedUserData(of: context.server.id) != nil {
        try await context.requireUserData(of: context.operatingSystem)
      }
      return .go(.claimAddress, .imageChosen(version: version))
    case .claimAddress:
      return try await claimAddresses(context)
    case .define:
      try await context.ensureDefined()
      return .go(.start, .machineDefined)
    case .start:
      guard context.acquireBootSlot() else { return .postpone }
      try await context.driver.start(context.machine)
      return .go(.awaitReady)
    case .awaitReady:
      return try await context.awaitReady()
    case .clean:
      try await context.driver.ensureAbsent(context.machine)
      return .undone(.neverMade)
    }
  }

  private func claimAddresses(_ context: StepContext) async throws -> StepResult<Step> {
    let pools = context.addressPools[context.server.location]
    let (ipv4, ipv6) = (context.server.address, context.server.ipv6Network)
    try await context.claim(.ipv4, ipv4.map { .ipv4($0) }, of: pools)
    if let ipv6 { try await context.claim(.ipv6, .ipv6(ipv6), of: pools) }
    return .go(.define)
  }

  func timeout(for step: Step, _ timing: MachineTiming) -> Duration? {
    switch step {
    case .prepareImage, .claimAddress, .define, .start: .seconds(60)
    case .awaitReady: timing.bootDeadline
    case .clean: .seconds(600)
    }
  }

  func onTimeout(_ step: Step, _ context: StepContext) async throws -> StepResult<Step> {
    throw WorkflowFailure(
      customerReason: step == .awaitReady
        ? "The server did not become reachable in time." : "The server could not be created.",
      operatorDetail: "The step \(step) was not done in its time.")
  }

  /// A server that fails before it has its disk loses everything but its row. One with a disk keeps it, and can be started
  /// again.
  func undo(of step: Step) -> Step? {
    switch step {
    case .prepareImage, .claimAddress, .define: .clean
    case .start, .awaitReady, .clean: nil
    }
  }
}

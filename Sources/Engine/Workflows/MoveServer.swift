import Core

/// Checks at the server's new host, before the server is shut down, that it can come there, and that nothing else uses its new
/// addresses.
struct FindHost: Workflow {
  enum Step: String, CaseIterable {
    case findHost
  }

  static let firstStep = Step.findHost

  func run(_ step: Step, _ context: StepContext) async throws -> StepResult<Step> {
    try context.requireMachine()
    guard !context.server.machine.awaitsNewDisk else {
      throw WorkflowFailure(
        customerReason: "The server has no disk until it is rebuilt or restored.",
        operatorDetail: "The disk that there may be is of the system before a rebuild that failed.")
    }
    let move = try await context.move()
    let (receiver, source) = try context.hosts(of: move)
    guard receiver.canReceive(from: source) else {
      throw WorkflowFailure(
        customerReason: "The server cannot be moved there.",
        operatorDetail: "The host receives no machines of the server's host.")
    }
    let pools = context.addressPools[move.location]
    for family in [ServerAddress.Family.ipv4, .ipv6] {
      guard let first = move.arriving.first(where: { $0.family == family }) else { continue }
      try await context.claim(family, first, of: pools)
    }
    return .done(.leftToSource)
  }

  func timeout(for step: Step, _ timing: MachineTiming) -> Duration? { .seconds(60) }

  func onTimeout(_ step: Step, _ context: StepContext) async throws -> StepResult<Step> {
    throw WorkflowFailure(
      customerReason: "The server could not be moved.", operatorDetail: "The host was not found fit in its time.")
  }
}

/// Brings a machine that is off to the server's new host. From the moment when the whole of it is there, there is no way back: it
/// is started there or nowhere.
struct ReceiveMachine: Workflow {
  enum Step: String, CaseIterable {
    case receive, arrive
  }

  static let firstStep = Step.receive

  func run(_ step: Step, _ context: StepContext) async throws -> StepResult<Step> {
    switch step {
    case .receive:
      guard context.acquireCopySlot() else { return .postpone }
      do {
        let (receiver, source) = try context.hosts(of: try await context.move())
        switch try await receiver.ensureReceived(context.machine, from: source) {
        case .underWay: return .wait
        case .advancing: return .held()
        case .done: return .go(.arrive, .moved)
        }
      } catch let error as DriverError where !error.isWorthRetrying {
        return try await fail(error, context)
      }
    case .arrive:
      // A server that stays off has its new addresses at its host, too.
      try await context.ensureDefined()
      return .done()
    }
  }

  /// Ends the move first: the machine must not come whole once it was said that it stays where it is. The failure waits for that
  /// end.
  private func fail(_ failure: any Error, _ context: StepContext) async throws -> StepResult<Step> {
    do {
      let (receiver, source) = try context.hosts(of: try await context.move())
      if try await receiver.endReceipt(of: context.machine, from: source) { return .go(.arrive, .moved) }
    } catch is DriverError {
      // Whatever it says, nobody knows yet where the machine is.
      return .held()
    }
    throw failure
  }

  func timeout(for step: Step, _ timing: MachineTiming) -> Duration? {
    switch step {
    case .receive: timing.copyDeadline
    case .arrive: .seconds(60)
    }
  }

  func onTimeout(_ step: Step, _ context: StepContext) async throws -> StepResult<Step> {
    let failure = WorkflowFailure(
      customerReason: step == .receive
        ? "The server could not be moved." : "The server is at its new location, which did not take it in time.",
      operatorDetail: "The step \(step) was not done in its time.")
    guard step == .receive else { throw failure }
    return try await fail(failure, context)
  }
}

extension StepContext {
  func move() async throws -> ServerMove {
    guard let move = try await store.move(lease.operation.id) else {
      throw Failure.internalError("An operation that moves a server is about no move.")
    }
    return move
  }

  /// The host that receives the machine, which runs the step, and the one that the machine comes from.
  func hosts(of move: ServerMove) throws -> (receiver: any MachineReceiver, source: any ComputeDriver) {
    guard let receiver = driver as? any MachineReceiver else {
      throw WorkflowFailure(
        customerReason: "The server cannot be moved there.", operatorDetail: "The host receives no machines.")
    }
    guard let source = fleet[move.source] else {
      // No failure: the machine may have come whole, and only with both hosts can that be told.
      throw DriverError(
        .unreachable, "The host that the server comes from is not of this service, or not configured any more.",
        customerReason: Fleet.awayReason)
    }
    guard !source.isAway else {
      throw DriverError(.unreachable, "The host \(source.name) is away.", customerReason: Fleet.awayReason)
    }
    return (receiver, source.driver)
  }
}

package import Core

extension Core.Operation.Kind {
  /// The workflow that carries out operations of this kind. This is the only list of workflows.
  var workflow: any Workflow {
    switch self {
    case .create: CreateServer()
    case .start, .recover: StartServer()
    case .stop: StopServer()
    case .hardStop: HardStopServer()
    case .reboot: RebootServer()
    case .configure: ConfigureServer()
    case .readdress: ReaddressServer()
    case .resize: PoweredOff(ChangePlan())
    case .move: PoweredOff<MovedMachine>.move
    case .rebuild: PoweredOff(after: FindImage(), ReplaceSystem())
    case .delete: DeleteServer()
    case .backup, .snapshot: CopyDisk()
    case .restore: PoweredOff(RestoreDisk())
    case .discard: DiscardCopy()
    case .rescue: PoweredOff(after: FindRescueImage(), EnterRescue())
    case .leaveRescue: PoweredOff(LeaveRescue())
    }
  }

  /// The names of all its steps, the first one first.
  package var stepNames: [String] { workflow.stepNames }
}

extension Workflow {
  fileprivate var stepNames: [String] {
    [Self.firstStep.rawValue] + Step.allCases.map(\.rawValue).filter { $0 != Self.firstStep.rawValue }
  }
}

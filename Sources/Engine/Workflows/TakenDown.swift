import Core

/// A change that a machine must be off for: what was active is shut down, changed, and started again; what was stopped is
/// changed, and stays stopped. While nothing is changed yet, a failure takes the server back to what it was.
typealias TakenDown<Change: Workflow> = Chain<StopServer, Chain<Change, StartServer>>

extension Chain {
  init<Change: Workflow>(_ change: Change) where First == StopServer, Second == Chain<Change, StartServer> {
    self.init(
      StopServer(success: nil, failure: .takenBack),
      Chain<Change, StartServer>(change, StartServer(onlyWhereTakenDown: true)))
  }
}

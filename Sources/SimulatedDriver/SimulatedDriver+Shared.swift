import Core
import Foundation
import Synchronization

/// A host that several services share: one has it at a time, and the others can only look.
extension SimulatedDriver {
  /// The term that the current task's calls are made for. Nil for calls that are not tied to a term.
  @TaskLocal package static var term: Int64?

  private static let seen: Set<DriverMethod> = [.capacity, .openConsole, .power, .observe, .readiness]

  /// Takes the host over for this service, with all that is there. The service that had it before can change nothing any more.
  ///
  /// - Parameter isNew: Whether the host may have no folder yet; otherwise that throws `notFound`.
  package func takeOver(term: Int64, isNew: Bool) throws {
    let newest = try home.newestTerm()
    if let newest {
      guard newest < term else { throw DriverError(.unreachable, "Another service has the host since term \(newest).") }
      try home.move(from: newest, to: term)
    } else if !isNew {
      throw DriverError(
        .notFound,
        "\(home.dataDirectory.path) has nothing of this host: all services of a database need the same simulated_dir.")
    }
    let folders = try SimulatedFolders(
      in: home.folder(ofTerm: term), installation: installation, isShared: true, makes: newest == nil, storage: storage)
    let records = try folders.load()
    state.withLock { state in
      state = State(records, options: state.options, faults: state.faults)
      (state.folders, state.term) = (folders, term)
    }
  }

  /// Gives the host up. Does nothing where this service has taken it over again for another term.
  package func letGo(term: Int64) {
    state.withLock { state in
      guard state.term == term else { return }
      (state.folders, state.term) = (nil, nil)
      (state.copying, state.restoring, state.receiving) = ([:], [:], [:])
    }
  }

  /// Throws where the call is for another term, or where another service has the host and the method is not one of `seen`.
  func requireTenure(for method: DriverMethod, _ machine: UUID?) throws(DriverError) {
    guard isShared else { return }
    let held = state.withLock { $0.term }
    if let held, Self.term ?? held == held { return }
    guard held == nil, Self.term == nil, Self.seen.contains(method) else { throw Self.elsewhere }
    try look(at: machine)
  }

  static let elsewhere = DriverError(.unreachable, "Another service has the host.")

  /// If another service has the host, reads what it has written: of one machine, or of all.
  func look(at machine: UUID?) throws(DriverError) {
    guard isShared, state.withLock({ $0.term == nil }) else { return }
    guard let newest = try home.newestTerm() else { throw Self.elsewhere }
    let folders = try SimulatedFolders(
      in: home.folder(ofTerm: newest), installation: installation, isShared: true, makes: false, storage: storage)
    if let machine {
      let record = try folders.machines.record(of: machine)
      state.withLock { state in
        if state.term == nil { state.replace(machine, with: record) }
      }
    } else {
      let records = try folders.load()
      state.withLock { state in
        guard state.term == nil else { return }
        state = State(records, options: state.options, faults: state.faults)
      }
    }
  }
}

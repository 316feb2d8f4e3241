package import Core
import Synchronization

/// A simulated DNS server that fails as a test demands.
package final class PaperZones: ReverseZones, NameLookup {
  package enum Trouble: Sendable, CaseIterable {
    case away
    /// The caller dies before its request arrives, or before it gets the answer.
    case deathBefore, deathAfter
  }

  package struct Death: Error {}

  private struct State {
    var names: [IPAddress: Set<String>] = [:]
    var forward: [Hostname: Set<IPAddress>] = [:]
    var trouble: Trouble?
    var troubles: [IPAddress: NameTrouble] = [:]
    var batches: [Int] = []
  }

  private let state = Mutex(State())

  package init() {}

  package var names: [IPAddress: Set<String>] {
    get { state.withLock { $0.names.filter { !$0.value.isEmpty } } }
    set { state.withLock { $0.names = newValue } }
  }

  package var forward: [Hostname: Set<IPAddress>] {
    get { state.withLock { $0.forward } }
    set { state.withLock { $0.forward = newValue } }
  }

  package var trouble: Trouble? {
    get { state.withLock { $0.trouble } }
    set { state.withLock { $0.trouble = newValue } }
  }

  /// The names that it does not take.
  package var troubles: [IPAddress: NameTrouble] {
    get { state.withLock { $0.troubles } }
    set { state.withLock { $0.troubles = newValue } }
  }

  /// The number of names in each call of `say`.
  package var batches: [Int] { state.withLock { $0.batches } }

  package func name(of address: String) -> String? {
    IPAddress(address).flatMap { names[$0] }.map { $0.sorted().joined(separator: " ") }
  }

  package func say(_ names: [IPAddress: Hostname?]) async throws -> [IPAddress: NameTrouble] {
    try state.withLock { state in
      try Self.meet(state.trouble, .deathBefore)
      state.batches.append(names.count)
      let troubles = state.troubles.filter { names.keys.contains($0.key) }
      for (address, name) in names where troubles[address] == nil {
        state.names[address] = Set([name?.name].compactMap { $0 })
      }
      try Self.meet(state.trouble, .deathAfter)
      return troubles
    }
  }

  package func names(of addresses: [IPAddress]) async throws -> [IPAddress: Set<String>] {
    try state.withLock { state in
      try Self.meet(state.trouble, .deathBefore)
      return Dictionary(addresses.map { ($0, state.names[$0] ?? []) }) { $1 }
    }
  }

  package func obstacles(to addresses: [IPAddress]) async throws -> ZoneObstacles {
    try state.withLock { state in
      try Self.meet(state.trouble, .deathBefore)
      return ZoneObstacles(homeless: addresses.filter { state.troubles[$0] != nil })
    }
  }

  package func leads(_ name: Hostname, to address: IPAddress) async throws -> Bool {
    try state.withLock { state in
      try Self.meet(state.trouble, .deathBefore)
      return state.forward[name]?.contains(address) ?? false
    }
  }

  private static func meet(_ trouble: Trouble?, _ moment: Trouble) throws {
    if trouble == .away { throw UnreachableNameServer("nobody answers") }
    if trouble == moment { throw Death() }
  }
}

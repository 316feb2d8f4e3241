package import Core
package import Foundation

/// Compares the rows of a host's servers with its machines: finds machines without a server, and machines in another state than
/// their server. It changes nothing.
package struct Inspection: Sendable {
  private let store: any InventoryStore
  private let host: FleetHost

  package init(of host: FleetHost, store: any InventoryStore) {
    self.host = host
    self.store = store
  }

  /// One sentence per difference.
  package func differences() async throws -> [String] {
    let seen = try await look()
    return seen.strangers.map {
      "the machine \($0.text) belongs to no server of the host \(host.name)"
    }
      + seen.differences
  }

  /// The machines without a server, and a sentence for each server whose machine is in another state. Servers with an operation
  /// under way, or that changed during the look, are left out.
  package func look() async throws -> (strangers: [UUID], differences: [String]) {
    let before = try await store.inventory(of: host.id)
    let observed = try await host.driver.observe()
    let after = try await store.inventory(of: host.id)
    // A machine may be newer than the first look at the rows, or gone with its row before the second.
    let known = Set(before.map(\.uuid)).union(after.map(\.uuid))
    var found: [String] = []
    let unchanged = Dictionary(before.map { ($0.id, $0) }) { $1 }
    for item in after where unchanged[item.id] == item && !item.hasOperation && !item.isDeleted {
      if let difference = Self.difference(of: item, observed.power(of: item.uuid)) {
        found.append("server \(item.id) is \(item.status.rawValue), and its machine is \(difference)")
      }
    }
    return (observed.powers.keys.filter { !known.contains($0) }.sorted { $0.uuidString < $1.uuidString }, found)
  }

  /// Nil where they agree.
  private static func difference(of item: InventoryItem, _ power: MachinePower) -> String? {
    switch (item.status, power) {
    case (.active, .running), (.error, _): nil
    case (.stopped, .off), (.stopped, .remnant), (.stopped, .absent): nil
    case (.suspended, .off), (.suspended, .remnant), (.suspended, .absent): nil
    case (_, .running): "running"
    case (_, .paused): "paused"
    case (_, .off): "off"
    case (_, .remnant), (_, .absent): "not there"
    case (_, .unreachable), (_, .unknown): "not to be seen"
    }
  }
}

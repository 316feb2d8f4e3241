package import Core
import Foundation

/// Rows against machines: what belongs to nobody, and what is not as its server says. A pure look: it changes nothing.
package struct Inspection: Sendable {
  private let store: any Store
  private let driver: any ComputeDriver

  package init(store: any Store, driver: any ComputeDriver) {
    self.store = store
    self.driver = driver
  }

  /// A sentence each. A server with an operation under way is on its way, and so is one that changed during the look.
  package func differences() async throws -> [String] {
    let before = try await store.inventory()
    let observed = try await driver.observe()
    let after = try await store.inventory()
    // A machine may be newer than the first look at the rows, or gone with its row before the second.
    let known = Set(before.map(\.uuid)).union(after.map(\.uuid))
    var found = observed.keys.filter { !known.contains($0) }.sorted { $0.uuidString < $1.uuidString }
      .map { "the machine \($0.uuidString.lowercased()) belongs to no server" }
    let unchanged = Dictionary(before.map { ($0.id, $0) }) { $1 }
    for item in after where unchanged[item.id] == item && !item.hasOperation && !item.isDeleted {
      if let difference = Self.difference(of: item, observed[item.uuid]?.power ?? .absent) {
        found.append("server \(item.id) is \(item.status.rawValue), and its machine is \(difference)")
      }
    }
    return found
  }

  /// Nil where they agree.
  private static func difference(of item: InventoryItem, _ power: MachinePower) -> String? {
    switch (item.status, power) {
    case (.active, .running), (.error, _), (.suspended, _): nil
    case (.stopped, .off), (.stopped, .remnant), (.stopped, .absent): nil
    case (_, .running): "running"
    case (_, .paused): "paused"
    case (_, .off): "off"
    case (_, .remnant), (_, .absent): "not there"
    }
  }
}

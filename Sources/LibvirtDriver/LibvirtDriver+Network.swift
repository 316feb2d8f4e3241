package import Core
package import Foundation
package import HostNetwork

/// What an operator can ask about the network of this host's servers.
extension LibvirtDriver {
  package struct NetworkState: Sendable {
    package let settings: HostNetworkSettings
    /// For every server that has a tap or should have one.
    package let interfaces: [UUID: RoutedInterface]
    /// By tap; empty where there is no packet filter.
    package let counters: [String: NetworkCounters]
    /// Each deviation from the desired state, in words.
    package let problems: [String]
  }

  /// Nil where servers have no taps.
  package func networkState() async throws -> NetworkState? {
    guard let network = network as? TapNetwork else { return nil }
    return try await onNetwork("look at the network") {
      let interfaces = try network.stored()
      return NetworkState(
        settings: network.reconciler.settings, interfaces: interfaces,
        counters: (try? network.reconciler.counters()) ?? [:],
        problems: try network.reconciler.problems(interfaces.values.sorted { $0.tap < $1.tap }))
    }
  }

  /// Removes all network configuration that this host has for its servers. Returns false where servers have no taps.
  package func removeNetwork() async throws -> Bool {
    guard let network = network as? TapNetwork else { return false }
    try await onNetwork("remove the network") { try network.reconciler.remove() }
    return true
  }
}

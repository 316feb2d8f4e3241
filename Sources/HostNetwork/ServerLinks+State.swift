package import Core
package import Foundation

/// What an operator can ask about the links of servers.
extension ServerLinks {
  package struct State: Sendable {
    /// For every server that has a link or should have one.
    package let interfaces: [UUID: RoutedInterface]
    /// By tap; empty where there is no packet filter.
    package let counters: [String: NetworkCounters]
  }

  package func state() throws -> State {
    State(interfaces: try stored(), counters: (try? reconciler.counters()) ?? [:])
  }

  /// How the network of this host's servers, of all drivers, deviates from the desired state, in words.
  package func problems() throws -> [String] { try reconciler.problems([]) }

  /// Removes all network configuration that this host has for servers, of all drivers.
  package func removeNetwork() throws { try reconciler.remove() }
}

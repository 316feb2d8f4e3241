package import Core
import Foundation

/// All that a customer can do with the firewalls of servers.
package struct Firewalls: Sendable {
  package static let toRead = Servers.toRead
  package static let toChange = Servers.toChange

  package struct View: Sendable {
    package let stored: ServerFirewall
    /// Whether the host holds the machine to what is shown here.
    package let isEnforced: Bool
    /// Whether it will be, unless something goes wrong.
    let isAwaited: Bool
  }

  private let store: any FirewallStore
  private let fleet: Fleet
  private let changes: Broadcast
  private let clock: any WallClock

  package init(store: any FirewallStore, fleet: Fleet, changes: Broadcast, clock: any WallClock) {
    self.store = store
    self.fleet = fleet
    self.changes = changes
    self.clock = clock
  }

  package func read(_ id: ID<Server>, _ caller: Caller) async throws -> View {
    try caller.require(Self.toRead)
    guard let stored = try await store.firewall(of: id, of: caller.accountID) else { throw Failure.notFound }
    return view(stored)
  }

  /// Puts another firewall in the place of the one that is there; the host follows on its own time.
  ///
  /// - Parameter tags: It is changed only where it has one of these; nil where any will do.
  package func replace(
    _ id: ID<Server>, with firewall: Firewall, ifTagged tags: [String]? = nil, _ caller: Caller
  ) async throws -> View {
    try caller.require(Self.toChange)
    var expected: Firewall?
    if let tags {
      guard let before = try await store.firewall(of: id, of: caller.accountID) else { throw Failure.notFound }
      guard tags.contains(Self.tag(of: before)) else { throw Failure.firewallChangedMeanwhile }
      expected = before.firewall
    }
    let stored = try await store.setFirewall(firewall, of: id, expecting: expected, by: caller, at: clock.now)
    guard let stored else { throw Failure.notFound }
    if !stored.isApplied { fleet[stored.hostID]?.noteChangedFirewalls(of: [id]) }
    return view(stored)
  }

  /// The firewall as it is once the host has taken it over, or when the time is up or the service ends.
  package func settled(_ view: View, within limit: Duration, _ caller: Caller) async throws -> View {
    let deadline = clock.uptime + limit
    let id = view.stored.serverID
    return try await changes.listen(to: id) { bell in
      var newest = view
      while newest.isAwaited, !Task.isCancelled {
        guard let stored = try await store.firewall(of: id, of: caller.accountID) else { break }
        newest = self.view(stored)
        guard newest.isAwaited, clock.uptime < deadline, !changes.isOver else { break }
        await bell.wait(until: min(deadline, clock.uptime + Servers.longestSilence), clock: clock)
      }
      return newest
    }
  }

  /// Changes with what a customer can change, and with nothing else.
  package static func tag(of stored: ServerFirewall) -> String {
    var text = "\(stored.serverID) \(stored.firewall.isEnabled)"
    for rule in stored.firewall.rules {
      // What its author wrote comes last, and has no line's end.
      text +=
        "\n\(rule.direction.rawValue) \(rule.traffic.ipProtocol.rawValue) \(rule.traffic.ports?.description ?? "-") "
      text += rule.networks.map(\.description).joined(separator: ",") + " " + rule.description
    }
    return String(SHA256.hexadecimal(Array(text.utf8)).prefix(32))
  }

  private func view(_ stored: ServerFirewall) -> View {
    let isEnforcing = fleet[stored.hostID]?.driver.enforcesFirewalls ?? false
    return View(
      stored: stored, isEnforced: isEnforcing && stored.isApplied, isAwaited: isEnforcing && !stored.isApplied)
  }
}

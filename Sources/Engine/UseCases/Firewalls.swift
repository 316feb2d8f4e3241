package import Core
import Foundation

/// All that a customer can do with the firewalls of servers.
package struct Firewalls: Sendable {
  package static let toRead = Servers.toRead
  package static let toChange = Servers.toChange

  package struct View: Sendable {
    package let stored: ServerFirewall
    /// Whether the host enforces the firewall that is shown here.
    package let isEnforced: Bool
    /// Whether the host has yet to apply it.
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

  /// Replaces the server's firewall in the store; the host applies it later.
  ///
  /// - Parameter tags: Replace it only if its tag is one of these; nil for no condition.
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

  /// Waits until the host has applied the firewall, the time is up or the service ends; returns the newest state.
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

  /// An entity tag, which changes whenever a field does that a customer can change, and with nothing else.
  package static func tag(of stored: ServerFirewall) -> String {
    var text = "\(stored.serverID) \(stored.firewall.isEnabled)"
    for rule in stored.firewall.rules {
      // The description comes last and contains no line break, so no two firewalls have the same text.
      text +=
        "\n\(rule.direction.rawValue) \(rule.traffic.ipProtocol.rawValue) \(rule.traffic.ports?.description ?? "-") "
      text += rule.networks.map(\.description).joined(separator: ",") + " " + rule.description
    }
    return String(SHA256.hexadecimal(Array(text.utf8)).prefix(32))
  }

  private func view(_ stored: ServerFirewall) -> View {
    let isEnforcing = fleet.enforcesFirewalls(stored.hostID)
    return View(
      stored: stored, isEnforced: isEnforcing && stored.isApplied, isAwaited: isEnforcing && !stored.isApplied)
  }
}

package import Core
import Synchronization

/// One host as the service works with it: what acts on its machines, who is woken when there is work for it, and whether it
/// answers.
package final class FleetHost: Sendable {
  /// One that has not answered for so long is away.
  package static let longestSilence = Duration.seconds(30)

  package let id: ID<Host>
  package let name: String
  /// The code of its location; nil for the host of every location that has none of its own.
  let location: String?
  package let driver: any ComputeDriver
  let doorbell = Doorbell()
  /// Rung where a firewall was changed.
  let firewallBell = Doorbell()
  private let changedFirewalls = Mutex(ChangedFirewalls())
  private let presence: Mutex<Presence>

  /// Servers whose customers have changed their firewalls, each once, in the order in which they did. It is about who comes first
  /// alone: what is to be applied stands in the store.
  private struct ChangedFirewalls {
    static let limit = 10_000

    private var order: [ID<Server>] = []
    private var known: Set<ID<Server>> = []

    mutating func append(_ id: ID<Server>) {
      guard order.count < Self.limit, known.insert(id).inserted else { return }
      order.append(id)
    }

    func first(where isFit: (ID<Server>) -> Bool) -> ID<Server>? { order.first(where: isFit) }

    mutating func remove(_ id: ID<Server>) {
      guard known.remove(id) != nil else { return }
      order.removeAll { $0 == id }
    }
  }

  private struct Presence {
    /// Since when it owes an answer; nil where it has given the last one. What is done between two questions, however long it
    /// takes, is no silence of the host.
    var askedAt: Instant?
    var isAway: Bool
  }

  package init(_ host: Host, driver: any ComputeDriver) {
    id = host.id
    name = host.name
    location = host.location
    self.driver = driver
    presence = Mutex(Presence(askedAt: nil, isAway: host.awaySince != nil))
  }

  /// Nothing is asked of a host that is away, but whether it is back.
  package var isAway: Bool { presence.withLock { $0.isAway } }

  /// Their customers have changed the firewalls of these servers. One that waits for its turn keeps its place.
  func noteChangedFirewalls(of ids: [ID<Server>]) {
    changedFirewalls.withLock { changed in
      for id in ids { changed.append(id) }
    }
    firewallBell.ring()
  }

  /// Whose turn it is: who has waited longest.
  func nextChangedFirewall(where isFit: (ID<Server>) -> Bool) -> ID<Server>? {
    changedFirewalls.withLock { $0.first(where: isFit) }
  }

  /// It has its turn.
  func beginFirewall(of id: ID<Server>) {
    changedFirewalls.withLock { $0.remove(id) }
  }

  /// What is known of it where another service watches it, or before this one begins to.
  package func noteElsewhere(isAway: Bool) {
    presence.withLock { $0 = Presence(askedAt: nil, isAway: isAway) }
  }

  /// It is asked how its machines are, for the first time or again.
  func asked(at now: Instant) {
    presence.withLock { $0.askedAt = $0.askedAt ?? now }
  }

  /// Returns whether it was away.
  func answered() -> Bool {
    let wasAway = presence.withLock { presence in
      defer { presence = Presence(askedAt: nil, isAway: false) }
      return presence.isAway
    }
    if wasAway {
      doorbell.ring()
      firewallBell.ring()
    }
    return wasAway
  }

  /// Returns whether it is away from now on, and was not before.
  func noteSilence(at now: Instant) -> Bool {
    presence.withLock { presence in
      guard !presence.isAway, let askedAt = presence.askedAt, now - askedAt >= Self.longestSilence else { return false }
      presence.isAway = true
      return true
    }
  }
}

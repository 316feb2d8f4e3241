package import Core
import Synchronization

/// One host as the service works with it: its driver, the bells that announce work for it, and whether it answers.
package final class FleetHost: Sendable {
  package let id: ID<Host>
  package let name: String
  /// The code of its location; nil for the host of all locations that have no host of their own.
  package let location: String?
  /// Where browsers reach this service, the only one that has the host; nil where every service has it.
  let url: String?
  package let driver: any ComputeDriver
  let doorbell = Doorbell()
  /// Asks for a look at the machines: rung where another host has left some to this one.
  let monitorBell = Doorbell()
  /// Wakes the `FirewallKeeper`.
  let firewallBell = Doorbell()
  /// Wakes the `PasswordKeeper`.
  let passwordBell = Doorbell()
  private let changedFirewalls = Mutex(ChangedFirewalls())
  private let presence: Mutex<Presence>
  private let isServed = Mutex(true)
  private let drain = Mutex<Timestamp?>(nil)
  private let fenced = Mutex(false)
  private let taken = Mutex<[ID<Server>]>([])

  /// Servers whose customers have changed their firewalls, each once, in the order of these changes. It decides only who comes
  /// first; what is to be applied is in the store.
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
    /// Since when the host owes an answer; nil where it has answered the last question. The time between an answer and the next
    /// question is no silence of the host, however long it is.
    var askedAt: Instant?
    var isAway: Bool
  }

  package init(_ host: Host, driver: any ComputeDriver) {
    id = host.id
    name = host.name
    location = host.location
    url = host.url
    self.driver = driver
    presence = Mutex(Presence(askedAt: nil, isAway: host.awaySince != nil))
  }

  /// A host that is away is asked nothing but whether it is back.
  package var isAway: Bool { presence.withLock { $0.isAway } }

  /// Whether this service acts on the host, and no other one does.
  package var isServedHere: Bool { isServed.withLock { $0 } }

  /// From when on its servers are moved to other hosts of its location; nil where they stay.
  var movesServersAt: Timestamp? { drain.withLock { $0 } }

  func note(movesServersAt time: Timestamp?) { drain.withLock { $0 = time } }

  /// Whether it is away and certainly off.
  var isFenced: Bool { fenced.withLock { $0 } }

  func note(isFenced: Bool) { fenced.withLock { $0 = isFenced } }

  /// Notes that the server is on another host now, without a last step here.
  func note(taken server: ID<Server>) { taken.withLock { $0.append(server) } }

  /// The servers that were noted since the last call.
  func takeTaken() -> [ID<Server>] {
    taken.withLock { taken in
      defer { taken = [] }
      return taken
    }
  }

  package func note(isServedHere: Bool) { isServed.withLock { $0 = isServedHere } }

  /// Queues servers whose customers have changed the firewalls. A server that is in the queue keeps its place.
  func noteChangedFirewalls(of ids: [ID<Server>]) {
    changedFirewalls.withLock { changed in
      for id in ids { changed.append(id) }
    }
    firewallBell.ring()
  }

  /// The server that `isFit` accepts and that has waited longest. It stays in the queue.
  func nextChangedFirewall(where isFit: (ID<Server>) -> Bool) -> ID<Server>? {
    changedFirewalls.withLock { $0.first(where: isFit) }
  }

  /// Takes the server out of the queue, because its firewall is being applied.
  func beginFirewall(of id: ID<Server>) {
    changedFirewalls.withLock { $0.remove(id) }
  }

  /// Takes over from the store whether the host is away, while another service watches it or this one has not begun to.
  package func noteElsewhere(isAway: Bool) {
    presence.withLock { $0 = Presence(askedAt: nil, isAway: isAway) }
  }

  /// Notes that the host was asked for an observation. An earlier question without an answer counts instead.
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

  /// Marks the host as away if it has been silent for too long. Returns whether it was not away before.
  func noteSilence(at now: Instant) -> Bool {
    presence.withLock { presence in
      let longest = driver.timing.longestSilence
      guard !presence.isAway, let askedAt = presence.askedAt, now - askedAt >= longest else { return false }
      presence.isAway = true
      return true
    }
  }
}

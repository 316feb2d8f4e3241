package import Core
import Synchronization

/// One host as the service works with it: what acts on its machines, who is woken when there is work for it, and whether it
/// answers.
package final class FleetHost: Sendable {
  /// One that has not answered for so long is away.
  package static let longestSilence = Duration.seconds(30)

  package let id: ID<Host>
  package let name: String
  package let driver: any ComputeDriver
  let doorbell = Doorbell()
  private let presence: Mutex<Presence>

  private struct Presence {
    var lastAnswer: Instant
    var isAway: Bool
  }

  /// - Parameter now: From then on it is waited for, whether it was away before or not.
  package init(_ host: Host, driver: any ComputeDriver, at now: Instant) {
    id = host.id
    name = host.name
    self.driver = driver
    presence = Mutex(Presence(lastAnswer: now, isAway: host.awaySince != nil))
  }

  /// Nothing is asked of a host that is away, but whether it is back.
  package var isAway: Bool { presence.withLock { $0.isAway } }

  /// Returns whether it was away.
  func answered(at now: Instant) -> Bool {
    let wasAway = presence.withLock { presence in
      defer { presence = Presence(lastAnswer: now, isAway: false) }
      return presence.isAway
    }
    if wasAway { doorbell.ring() }
    return wasAway
  }

  /// Returns whether it is away from now on, and was not before.
  func noteSilence(at now: Instant) -> Bool {
    presence.withLock { presence in
      guard !presence.isAway, now - presence.lastAnswer >= Self.longestSilence else { return false }
      presence.isAway = true
      return true
    }
  }
}

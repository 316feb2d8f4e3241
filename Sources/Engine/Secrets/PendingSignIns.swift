import Core
import Synchronization

/// Those who have said their password, or come by a link that was mailed, and not yet said their second factor: in memory, for a few minutes and a few tries.
final class PendingSignIns: Sendable {
  struct Pending: Sendable {
    let email: String
    let claim: Claim
    let deadline: Instant
    var tries: Int
  }

  /// What they have shown.
  enum Claim: Sendable {
    /// The crypt(3) of a password that was right.
    case password(hash: String)
    case link(TokenHash, ID<Account>)
  }

  private static let lifetime = Duration.seconds(300)
  private static let mostTries = 5
  private static let mostPending = 1000
  private static let mostPendingOfOne = 5

  private let pending = Mutex<[String: Pending]>([:])

  /// Returns what the browser comes back with.
  func add(_ email: String, _ claim: Claim, at now: Instant) -> String {
    let text = RandomText.make()
    pending.withLock { pending in
      pending = pending.filter { now < $0.value.deadline }
      // Whoever begins again and again is in nobody's way but their own.
      let own = pending.filter { $0.value.email == email }
      let crowded = own.count >= Self.mostPendingOfOne ? own : pending.count >= Self.mostPending ? pending : [:]
      if let oldest = crowded.min(by: { $0.value.deadline < $1.value.deadline }) { pending[oldest.key] = nil }
      pending[text] = Pending(email: email, claim: claim, deadline: now + Self.lifetime, tries: 0)
    }
    return text
  }

  /// Takes one of its tries; nil where there are none left.
  func attempt(_ text: String, at now: Instant) -> Pending? {
    guard RandomText.isPossible(text) else { return nil }
    return pending.withLock { pending in
      guard var found = pending[text], now < found.deadline, found.tries < Self.mostTries else { return nil }
      found.tries += 1
      pending[text] = found
      return found
    }
  }

  func forget(_ text: String) { pending.withLock { $0[text] = nil } }
}

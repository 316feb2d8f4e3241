import Core
import Foundation
import Synchronization

/// The disks that this process takes from one Incus to another. An image of such a disk that is none of these is a stray one, of a
/// process that died.
final class Transfers: Sendable {
  private let underWay = Mutex<Set<UUID>>([])

  func begin(_ transfer: UUID) { underWay.withLock { _ = $0.insert(transfer) } }
  func end(_ transfer: UUID) { underWay.withLock { _ = $0.remove(transfer) } }
  func contains(_ transfer: String) -> Bool { underWay.withLock { $0.contains { $0.text == transfer } } }
}

import Core
import Foundation
import HostPrograms
import Synchronization

/// The connections that have reached a guest's sshd and wait for its greeting, kept from one check to the next.
final class SSHBanners: Sendable {
  private struct Waiting {
    /// A different number means another boot.
    let runID: Int
    var banner: SSHBanner
  }

  private let waiting = Mutex<[UUID: Waiting]>([:])

  deinit {
    waiting.withLock { waiting in
      for machine in Array(waiting.keys) { waiting[machine]?.banner.close() }
    }
  }

  /// Blocks: only for `BlockingThreads`.
  func isSent(
    of machine: UUID, runID: Int, by address: IPv4Address, port: UInt16, within limit: Duration
  ) -> Bool {
    var banner = SSHBanner()
    if var earlier = waiting.withLock({ $0.removeValue(forKey: machine) }) {
      if earlier.runID == runID { banner = earlier.banner } else { earlier.banner.close() }
    }
    let isSent = banner.isSent(by: address, port: port, within: limit)
    if isSent || !banner.hasReachedGuest {
      banner.close()
    } else {
      // Another check of the same machine may have gone on beside this one.
      let kept = Waiting(runID: runID, banner: banner)
      var other = waiting.withLock { $0.updateValue(kept, forKey: machine) }
      other?.banner.close()
    }
    return isSent
  }

  /// Closes the connections to all other machines.
  func retain(_ running: some Collection<UUID>) {
    waiting.withLock { waiting in
      for machine in Set(waiting.keys).subtracting(running) {
        waiting[machine]?.banner.close()
        waiting[machine] = nil
      }
    }
  }
}

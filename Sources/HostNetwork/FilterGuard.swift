import Core
import Foundation
import HostPrograms

/// Loads the packet filter again as soon as somebody has removed it, independently of all other checks: until it is back, all
/// servers are open.
final class FilterGuard: Sendable {
  private let reconciler: NetworkReconciler
  private let events: KernelEvents?
  private let stop: StopSignal
  private let ended = DispatchSemaphore(value: 0)

  /// Starts watching. A removal that the kernel does not report is found by the next regular check.
  init(_ reconciler: NetworkReconciler, until stop: StopSignal) {
    (self.reconciler, self.stop) = (reconciler, stop)
    events = try? KernelEvents(ofFilter: true)
    Thread.detachNewThread {
      self.keep()
      self.ended.signal()
    }
  }

  /// Returns once it has stopped.
  func awaitEnd() { ended.wait() }

  private func keep() {
    guard let events else { return }
    while !stop.isSet {
      guard events.wait(within: .milliseconds(200), settling: .zero) else { continue }
      let noticed = ContinuousClock.now
      // The next regular check reports an error.
      try? reconciler.restoreFilter(noticed)
      // Pauses, so that a program that removes it again and again does not block all other changes.
      poll(nil, 0, Int32(min((ContinuousClock.now - noticed).milliseconds, 1000)))
    }
  }
}

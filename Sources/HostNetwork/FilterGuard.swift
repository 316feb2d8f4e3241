import Core
import Foundation
import HostPrograms

/// Loads the packet filter again as soon as somebody has removed it, beside all looks at everything else: until it is there, all
/// servers are open.
final class FilterGuard: Sendable {
  private let reconciler: NetworkReconciler
  private let events: KernelEvents?
  private let stop: StopSignal
  private let ended = DispatchSemaphore(value: 0)

  /// It is on its guard from here on. What it misses, because the kernel does not tell, the next look finds.
  init(_ reconciler: NetworkReconciler, until stop: StopSignal) {
    (self.reconciler, self.stop) = (reconciler, stop)
    events = try? KernelEvents(ofFilter: true)
    Thread.detachNewThread {
      self.keep()
      self.ended.signal()
    }
  }

  /// Once it was told to stop.
  func awaitEnd() { ended.wait() }

  private func keep() {
    guard let events else { return }
    while !stop.isSet {
      guard events.wait(within: .milliseconds(200), settling: .zero) else { continue }
      let noticed = ContinuousClock.now
      // What stands in its way, the next look tells.
      try? reconciler.restoreFilter(noticed)
      // Whoever removes it again and again does not keep all others from their changes.
      poll(nil, 0, Int32(min((ContinuousClock.now - noticed).milliseconds, 1000)))
    }
  }
}

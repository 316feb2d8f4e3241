import Core
import Foundation
package import HostPrograms
import Logging
import Synchronization

extension NetworkReconciler {
  /// Keeps the network in its desired state until `stop` is set: checks at once when something in the host's network has
  /// changed, or 1.5 seconds later beside a change of our own, and every few seconds in any case. Blocks until then. Where several keep the same network one of them does, and
  /// another one goes on once that one has stopped.
  ///
  /// - Parameter interfaces: What the servers' folders say at that moment.
  package func keep(_ interfaces: () throws -> [RoutedInterface], until stop: StopSignal) {
    while isKept.withLock({ isKept in
      defer { isKept = true }
      return isKept
    }) {
      if stop.isSet { return }
      poll(nil, 0, 100)
    }
    defer { isKept.withLock { $0 = false } }
    let filterGuard = FilterGuard(self, until: stop)
    defer { filterGuard.awaitEnd() }
    var events = try? KernelEvents()
    var lastProblem = ""
    var isFirst = true
    var hasHappened: ContinuousClock.Instant?
    while !stop.isSet {
      let begin = ContinuousClock.now
      events?.drain()
      do {
        let repair = try reconcile(interfaces)
        tell(repair, after: ContinuousClock.now - (hasHappened ?? begin), isFirst: isFirst)
        (isFirst, lastProblem) = (false, "")
        refreshListing()
      } catch {
        // A repeated problem is logged once, and not at each check.
        if "\(error)" != lastProblem { logger.error("the servers' network is not as it should be: \(error)") }
        lastProblem = "\(error)"
      }
      if events == nil { events = try? KernelEvents() }
      // The pause keeps a program that changes things all the time from occupying this loop.
      hasHappened = rest(atLeast: ContinuousClock.now - begin, events, stop)
    }
  }

  /// Waits for the next check. Returns the time of the event that causes it; nil if there was no event. An event beside a
  /// change of our own is most likely that change, and waits, because each check runs a dozen programs while a server starts.
  private func rest(
    atLeast least: Duration, _ events: KernelEvents?, _ stop: StopSignal
  ) -> ContinuousClock.Instant? {
    let earliest = ContinuousClock.now + min(least, .seconds(1))
    let latest = ContinuousClock.now + Self.interval
    var hasHappened: ContinuousClock.Instant?
    while !stop.isSet, ContinuousClock.now < latest {
      if let hasHappened {
        let ownChange = min(lastOwnChange ?? .now - Self.afterOwnChange, hasHappened)
        if ContinuousClock.now >= max(earliest, ownChange + Self.afterOwnChange) { return hasHappened }
      }
      guard let events, hasHappened == nil else {
        poll(nil, 0, 20)
        continue
      }
      if events.wait(within: .milliseconds(200)) { hasHappened = .now }
    }
    return hasHappened
  }

  private func tell(_ repair: Repair, after duration: Duration, isFirst: Bool) {
    guard repair.isFilterLoaded || repair.links > 0 || repair.others > 0 else { return }
    let details: Logger.Metadata = [
      "filter": "\(repair.isFilterLoaded ? "loaded" : "as it was")", "links": "\(repair.links)",
      "others": "\(repair.others)", "milliseconds": "\(duration.milliseconds)",
    ]
    if isFirst {
      logger.info("the servers' network is set up", metadata: details)
    } else if repair.isOwnChange {
      logger.debug("the servers' network is up to date", metadata: details)
    } else if repair.isFilterLoaded {
      tellOfLoadedFilter(details)
    } else {
      logger.warning("somebody has changed links or routes of servers; they are right again", metadata: details)
    }
  }

  private func tellOfLoadedFilter(_ details: Logger.Metadata) {
    logger.warning(
      "somebody has changed or removed the packet filter of servers; it is loaded again, so many milliseconds after it was noticed",
      metadata: details)
  }

  /// Loads the packet filter again if somebody has removed it.
  ///
  /// - Parameter noticed: When the event was noticed.
  func restoreFilter(_ noticed: ContinuousClock.Instant) throws {
    guard try filter.withLock({ try $0.restore() }) else { return }
    tellOfLoadedFilter(["filter": "loaded", "milliseconds": "\((ContinuousClock.now - noticed).milliseconds)"])
  }

  /// The time between two checks without an event.
  private static let interval = Duration.seconds(4)
  private static let afterOwnChange = Duration.milliseconds(1500)
}

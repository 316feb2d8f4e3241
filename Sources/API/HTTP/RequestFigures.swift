package import Engine
import Foundation
package import HTTPTypes
import Synchronization

/// How many requests were answered since the start, by status, and how long they took. They are counted by the template
/// of their route, so that the number of counters is bounded, whatever clients request.
///
/// Each thread counts in its own part, so that no request waits for another one to be counted.
package final class RequestFigures: Sendable {
  package struct Route: Hashable, Sendable {
    package let method: String
    /// `/api/v1/servers/{id}`, or `none` for requests without a route.
    package let path: String
  }

  package struct Figures: Sendable, Equatable {
    package fileprivate(set) var statuses: [Int: Int] = [:]
    package fileprivate(set) var durations = DurationHistogram(bounds: RequestFigures.bounds)
  }

  package static let bounds: [Double] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10]
  private static let knownMethods: Set<HTTPRequest.Method> = [.get, .head, .post, .put, .patch, .delete, .options]
  /// The router's name for requests without a route.
  private static let unrouted = "NotFound"

  private final class Part: Sendable {
    let figures = Mutex<[Route: Figures]>([:])
  }

  private let parts: [Part]

  package init() {
    parts = (0..<max(ProcessInfo.processInfo.activeProcessorCount, 4)).map { _ in Part() }
  }

  package func count(_ method: HTTPRequest.Method, _ path: String?, status: Int, after duration: Duration) {
    let route = Route(
      method: Self.knownMethods.contains(method) ? method.rawValue : "other",
      path: path.flatMap { $0 == Self.unrouted ? nil : $0 } ?? "none")
    part.figures.withLock { figures in
      figures[route, default: Figures()].statuses[status, default: 0] += 1
      figures[route, default: Figures()].durations.add(duration)
    }
  }

  /// The sums over all threads.
  package var all: [Route: Figures] {
    parts.reduce(into: [:]) { all, part in
      for (route, figures) in part.figures.withLock({ $0 }) {
        all[route, default: Figures()].durations.merge(figures.durations)
        for (status, count) in figures.statuses { all[route, default: Figures()].statuses[status, default: 0] += count }
      }
    }
  }

  /// The stacks of threads lie far apart, so that a thread's address tells which part is its own.
  private var part: Part { parts[Int((UInt(pthread_self()) >> 12) % UInt(parts.count))] }
}

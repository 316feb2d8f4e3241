import APIClient
import Synchronization

/// Whether the service has put off the request, so that nothing has begun.
final class Postponement: Sendable {
  /// The name of the change among several; nil where there is only one.
  private let subject: String?
  private let isNow = Atomic<Bool>(false)

  init(of subject: String? = nil) {
    self.subject = subject
  }

  func note(_ pause: RetryPolicy.Pause) {
    switch pause {
    case .begins(_, let method, _, let isNothingDone):
      isNow.store(method != "GET" && isNothingDone, ordering: .sequentiallyConsistent)
    case .ends: isNow.store(false, ordering: .sequentiallyConsistent)
    }
  }

  /// The sentence for a user who interrupts the request; nil where it may have begun.
  var sentence: String? {
    guard isNow.load(ordering: .sequentiallyConsistent) else { return nil }
    guard let subject else { return "Nothing is begun: the service did not take it yet." }
    return "Of \(subject) nothing is begun: the service did not take it yet. What stands above it is done."
  }
}

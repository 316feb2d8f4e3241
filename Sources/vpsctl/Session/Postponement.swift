import APIClient
import Synchronization

/// Whether what was asked for is put off by the service, so that nothing of it is begun.
final class Postponement: Sendable {
  private let isNow = Atomic<Bool>(false)

  func note(_ pause: RetryPolicy.Pause) {
    switch pause {
    case .begins(_, let method, _, let isNothingDone):
      isNow.store(method != "GET" && isNothingDone, ordering: .sequentiallyConsistent)
    case .ends: isNow.store(false, ordering: .sequentiallyConsistent)
    }
  }

  /// What is said to who gives it up meanwhile; nil where it may have been begun.
  var sentence: String? {
    isNow.load(ordering: .sequentiallyConsistent) ? "Nothing is begun: the service did not take it yet." : nil
  }
}

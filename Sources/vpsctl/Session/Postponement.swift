import APIClient
import Synchronization

/// Whether what was asked for is put off by the service, so that nothing of it is begun.
final class Postponement: Sendable {
  /// Of several changes the one that it is about; nil where there is but one.
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

  /// What is said to who gives it up meanwhile; nil where it may have been begun.
  var sentence: String? {
    guard isNow.load(ordering: .sequentiallyConsistent) else { return nil }
    guard let subject else { return "Nothing is begun: the service did not take it yet." }
    return "Of \(subject) nothing is begun: the service did not take it yet. What stands above it is done."
  }
}

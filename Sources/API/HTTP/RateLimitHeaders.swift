import HTTPTypes
import Synchronization

/// The rate limit headers of one request: noted when the request is counted, and written when the reply is finished,
/// whatever happens in between.
package final class RateLimitHeaders: Sendable {
  private let allowance = Mutex<Allowance?>(nil)

  func note(_ allowance: Allowance?) {
    self.allowance.withLock { $0 = allowance }
  }

  var noted: Allowance? { allowance.withLock { $0 } }
}

extension Allowance {
  private static let limitHeader = HTTPField.Name("X-RateLimit-Limit")!
  private static let remainingHeader = HTTPField.Name("X-RateLimit-Remaining")!
  private static let resetHeader = HTTPField.Name("X-RateLimit-Reset")!

  func write(to headers: inout HTTPFields) {
    headers[Self.limitHeader] = String(limit)
    headers[Self.remainingHeader] = String(remaining)
    headers[Self.resetHeader] = String(resetSeconds)
  }
}

import HTTPTypes
import Synchronization

/// The rate limit headers of one request: noted when the request is counted, and written when the reply is finished,
/// whatever happens in between.
package final class RateLimitHeaders: Sendable {
  private static let limitHeader = HTTPField.Name("X-RateLimit-Limit")!
  private static let remainingHeader = HTTPField.Name("X-RateLimit-Remaining")!
  private static let resetHeader = HTTPField.Name("X-RateLimit-Reset")!

  private let noted = Mutex<Allowance?>(nil)

  func note(_ allowance: Allowance?) {
    noted.withLock { $0 = allowance }
  }

  func write(to headers: inout HTTPFields) {
    guard let allowance = noted.withLock({ $0 }) else { return }
    headers[Self.limitHeader] = String(allowance.limit)
    headers[Self.remainingHeader] = String(allowance.remaining)
    headers[Self.resetHeader] = String(allowance.resetSeconds)
  }
}

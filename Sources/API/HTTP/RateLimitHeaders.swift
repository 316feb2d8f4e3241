import HTTPTypes
import Synchronization

/// What is left to the caller of one request: noted where it is counted, read where the reply is finished, whatever happens
/// between the two.
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

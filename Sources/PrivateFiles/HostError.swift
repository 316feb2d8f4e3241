import Glibc

/// A system call that failed.
package struct HostError: Error, Equatable, CustomStringConvertible {
  package let call: String
  package let number: Int32

  package init(call: String, number: Int32) {
    self.call = call
    self.number = number
  }

  /// Reads `errno`, so nothing may come between the call and this.
  package static func last(_ call: String) -> HostError { HostError(call: call, number: errno) }

  package var reason: String { String(cString: strerror(number)) }
  package var description: String { "\(call): \(reason)" }
}

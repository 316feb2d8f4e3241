import Core
import Foundation

/// A system call that failed.
struct HostError: Error, CustomStringConvertible {
  let call: String
  let number: Int32

  /// Reads `errno`, so nothing may come between the call and this.
  static func last(_ call: String) -> HostError { HostError(call: call, number: errno) }

  var description: String { "\(call): \(String(cString: strerror(number)))" }

  var driverError: DriverError {
    switch number {
    case ENOSPC, EDQUOT, ENOMEM, EMFILE, ENFILE, EAGAIN: DriverError(.exhausted, description)
    case ENOENT: DriverError(.notFound, description)
    case EBUSY, EINTR: DriverError(.busy, description)
    case EIO, ETIMEDOUT: DriverError(.unreachable, description)
    default: DriverError(.rejected, description)
    }
  }
}

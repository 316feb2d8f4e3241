package import Core
import Foundation
package import PrivateFiles

extension HostError {
  package var driverError: DriverError {
    switch number {
    case ENOSPC, EDQUOT, ENOMEM, EMFILE, ENFILE, EAGAIN: DriverError(.exhausted, description)
    case ENOENT: DriverError(.notFound, description)
    case EBUSY, EINTR: DriverError(.busy, description)
    case EIO, ETIMEDOUT: DriverError(.unreachable, description)
    default: DriverError(.rejected, description)
    }
  }
}

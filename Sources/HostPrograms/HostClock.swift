import CGNU
import Foundation

/// The clock of the host, as the kernel knows it.
package enum HostClock {
  /// Whether something keeps it right; nil where the kernel does not say.
  package static var isSynchronised: Bool? {
    var state = timex()
    let result = adjtimex(&state)
    guard result >= 0 else { return nil }
    return result != TIME_ERROR && state.status & STA_UNSYNC == 0
  }
}
